import { createHash } from 'node:crypto';
import { nameToBytes } from './byte-names.ts';

/** What a folder of some system can hold as a name. */
export interface NameRules {
  /** `windows`: what Win32 takes; `posix`: anything without `/` and NUL. */
  readonly kind: 'posix' | 'windows';
  /** Names that differ only in case, or in how an accent is written, are two. */
  readonly caseSensitive: boolean;
  /** Bytes that are no UTF-8 are kept as they are. */
  readonly anyBytes: boolean;
  /** Names may have 255 UTF-16 units (NTFS, exFAT); elsewhere 255 bytes. */
  readonly longNames: boolean;
}

/** How names are stored where they come from: see `FileSystem.names`. */
export type NameOrigin = 'bytes' | 'utf16';

/** Bytes of a name, or UTF-16 units: 255 on every file system that counts. */
const MOST_UNITS = 255;
/** Room for `%{~1234567}`, should a name turn out to be a twin. */
const TWIN_ROOM = 12;
/** Digits of SHA-256 in a shortened name. */
const DIGEST_DIGITS = 24;
/** A longer ending after the last dot is no extension. */
const MOST_EXTENSION = 16;

const WINDOWS_FORBIDDEN = /[<>:"/\\|?*\u0000-\u001f]/g;
/** Device names, whatever follows the first dot; white space before it, of any kind, may not count. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i;
/** What may be the short name (8.3) of another file: `PROGRA~1`. */
const WINDOWS_SHORT = /^[^.~]{0,7}~\d{1,6}(?:\..{0,3})?$/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const BYTE_STAND_IN = /^[\udc80-\udcff]$/;

/**
 * The name under which a target can hold `name`. Most stay as they are. What the target forbids is written `%{HEX}`, the number of its
 * UTF-16 unit; the empty name `%{}`; and a literal `%{` as `%{25}{`, so that every mapped name reads back (`originalName`). A name that
 * is too long is cut, and carries `%{#DIGEST}`: only whoever kept the whole name knows it.
 */
export function targetName(name: string, rules: NameRules, origin: NameOrigin): string {
  const mapped = escapeName(name, rules, origin);
  return unitsOf(mapped, rules) <= MOST_UNITS ? mapped : shortened(name, mapped, rules);
}

/** The name for the `number`-th (from 2) of those that are one on the target. */
export function twinName(mapped: string, number: number, rules: NameRules): string {
  const marked = beforeExtension(mapped, `%{~${number}}`);
  return unitsOf(marked, rules) <= MOST_UNITS ? marked : twinName(shortened(mapped, mapped, rules), number, rules);
}

/** What a mapped name stands for; a name that was not mapped is itself. `undefined`: it was cut. */
export function originalName(mapped: string): string | undefined {
  if (/%\{#[0-9a-f]+\}/.test(mapped)) return undefined;
  return mapped.replace(/%\{(?:~\d+|([0-9A-F]{2,4})?)\}/g, (_, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Two names with one key may be one to the target. Where it is coarser than the target, a name is mapped that need not be: no harm. */
export function nameKey(mapped: string, { caseSensitive }: NameRules): string {
  if (caseSensitive) return mapped;
  // Some systems ignore what cannot be seen (HFS+), some fold one way, some the other: both, and all accents composed.
  const visible = mapped.normalize('NFD').replaceAll(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '');
  return visible.toUpperCase().toLowerCase().normalize('NFC');
}

function escapeName(name: string, rules: NameRules, origin: NameOrigin): string {
  if (name === '') return '%{}';
  const unmarked = name.replaceAll('%{', '%{25}{');
  if (/^\.\.?$/.test(unmarked)) return `${unmarked.slice(0, -1)}%{2E}`;
  const kept = (unit: string) => rules.anyBytes && origin === 'bytes' && BYTE_STAND_IN.test(unit);
  const wellFormed = unmarked.replace(LONE_SURROGATE, (unit) => (kept(unit) ? unit : escaped(unit)));
  return rules.kind === 'windows' ? escapeForWindows(wellFormed) : wellFormed.replaceAll(/[/\0]/g, escaped);
}

function escapeForWindows(name: string): string {
  const allowed = name.replaceAll(WINDOWS_FORBIDDEN, escaped).replace(/[. ]$/, escaped);
  if (WINDOWS_SHORT.test(allowed)) return allowed.replace('~', escaped);
  return WINDOWS_DEVICE.test(allowed) ? `${escaped(allowed[0]!)}${allowed.slice(1)}` : allowed;
}

function escaped(unit: string): string {
  return `%{${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}}`;
}

/** As much of the beginning as fits, a digest of the whole, and the extension. */
function shortened(name: string, mapped: string, rules: NameRules): string {
  const digest = createHash('sha256').update(nameToBytes(name)).digest('hex').slice(0, DIGEST_DIGITS);
  const { stem, extension } = splitExtension(mapped);
  const mark = `%{#${digest}}`;
  const room = MOST_UNITS - TWIN_ROOM - mark.length - unitsOf(extension, rules);
  return `${cutTo(stem, room, rules)}${mark}${extension}`;
}

/** The longest beginning within `room` units that ends in no half of a character or of an escape. */
function cutTo(stem: string, room: number, rules: NameRules): string {
  let cut = '';
  let units = 0;
  for (const [piece] of stem.matchAll(/%\{[^{}]*\}|[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g)) {
    units += unitsOf(piece, rules);
    if (units > room) break;
    cut += piece;
  }
  return cut;
}

function beforeExtension(name: string, mark: string): string {
  const { stem, extension } = splitExtension(name);
  return `${stem}${mark}${extension}`;
}

/** An extension is short and has no escape in it: `.tar.gz` is `.gz`. A name that begins with its only dot has none. */
function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  const plain = extension.length > 1 && extension.length <= MOST_EXTENSION && /^\.[A-Za-z0-9_-]+$/.test(extension);
  return plain ? { stem: name.slice(0, dot), extension } : { stem: name, extension: '' };
}

/** Bytes are never fewer than UTF-16 units, so that both limits are kept by the one that counts. */
function unitsOf(name: string, { longNames }: NameRules): number {
  return longNames ? name.length : nameToBytes(name).length;
}
