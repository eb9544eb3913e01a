import { MabsError } from '../lib/errors.ts';

/** A VM as a user names it: `HOST/NAME`, `HOST/{GUID}`, or a bare GUID. */
export interface VmName {
  /** Absent for a bare id. */
  readonly host?: string;
  /** The VM's name, or its GUID in lower case without braces where `byId`. */
  readonly vm: string;
  readonly byId: boolean;
}

/** A recovery point as a user names it: `VM@POINT`, or a bare id; with `:/…`, something inside it. */
export interface PointName {
  /** Absent for a bare id. */
  readonly vm?: VmName;
  /** An id, `latest` or a time, as typed. */
  readonly point: string;
  /** What follows `:`; begins with `/`. */
  readonly path?: string;
}

export class NameUnreadableError extends MabsError {
  readonly code = 'MABS-NAME-UNREADABLE';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(text: string, wanted: string, examples: string) {
    super(`"${text}" does not name ${wanted}`);
    this.hint = `Write it as ${examples}.`;
  }
}

const GUID = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;
/** An id may be cut to its first six digits or more, as long as only one point begins with them. */
const POINT_ID = /^(?:[0-9a-f]{6,8}|[0-9a-f]{8}-[0-9a-f-]{0,27})$/i;
const POINT_TIME = /^(?:\d{4}-\d{2}-\d{2}(?:[T ][0-9:.]+)?(?:Z|[+-]\d{2}:?\d{2})?|\d{2}:\d{2}(?::\d{2})?)$/i;

/** Splits at the first `/`. Names are data: they may hold any character but that the host's name holds no `/`. */
export function parseVmName(text: string): VmName {
  const bare = guidOf(text);
  if (bare) return { vm: bare, byId: true };
  const slash = text.indexOf('/');
  const host = text.slice(0, Math.max(0, slash));
  const rest = text.slice(slash + 1);
  if (!host || !rest) throw new NameUnreadableError(text, 'a virtual machine', 'HOST/NAME or HOST/{GUID}, as `mabs vm list` shows them');
  const id = guidOf(rest);
  return id ? { host, vm: id, byId: true } : { host, vm: rest, byId: false };
}

/**
 * Splits `HOST/NAME@POINT[:/PATH]`: at the first `/`, the last `@`, then the first `:/`. An `@` inside the path is none of those:
 * the first `@` that is followed by a readable point and `:/` ends the VM's name.
 */
export function parsePointName(text: string): PointName {
  const inPath = splitBeforePath(text);
  const { head, path } = inPath ?? { head: text, path: undefined };
  const at = head.lastIndexOf('@');
  const inside = path === undefined ? {} : { path };
  if (at < 0 && isPointId(head)) return { point: head.toLowerCase(), ...inside };
  const point = head.slice(at + 1);
  if (at < 0 || !isPoint(point)) {
    throw new NameUnreadableError(text, 'a recovery point', 'HOST/NAME@latest, HOST/NAME@2026-11-20T18:00 or an id of `mabs point list`');
  }
  return { vm: parseVmName(head.slice(0, at)), point, ...inside };
}

/** Whether the text may be the id of a point, whole or cut. */
export function isPointId(text: string): boolean {
  return POINT_ID.test(text);
}

/** `diskN`, the N-th of the point's disks. */
export function diskName(index: number): string {
  return `disk${index}`;
}

/** The index of `/diskN` alone, `undefined` for a path that leads into the disk. */
export function parseDiskPath(path: string): number | undefined {
  const match = /^\/disk(0|[1-9]\d{0,3})\/?$/.exec(path);
  return match ? Number(match[1]) : undefined;
}

function splitBeforePath(text: string): { head: string; path: string } | undefined {
  for (let colon = text.indexOf(':/'); colon >= 0; colon = text.indexOf(':/', colon + 1)) {
    const head = text.slice(0, colon);
    const point = head.slice(head.lastIndexOf('@') + 1);
    if (head.includes('@') ? isPoint(point) : isPointId(head)) return { head, path: text.slice(colon + 1) };
  }
  return undefined;
}

function isPoint(text: string): boolean {
  return text === 'latest' || POINT_TIME.test(text) || isPointId(text);
}

function guidOf(text: string): string | undefined {
  return GUID.exec(text)?.[1]?.toLowerCase();
}
