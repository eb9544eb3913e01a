import { resolve } from 'node:path';
import type { DiskFormatName } from '../disks/disk-format.ts';
import { MabsError } from '../lib/errors.ts';
import type { ManifestDisk } from '../model/manifest.ts';
import { diskName, parseDiskPath } from '../model/names.ts';
import { DiskUnknownError } from './disk-unknown.ts';
import { getPoint, type KnownPoint } from './known-points.ts';
import type { Ports } from './ports.ts';
import { refuseOwnFolder } from './recovery-folder.ts';

/** Where a recovery goes to. */
export type RecoveryTarget =
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'host-folder'; readonly host: string; readonly path: string }
  | { readonly type: 'original' }
  | { readonly type: 'host'; readonly host: string };

/** A point, and which of its disks are to be recovered. */
export interface RecoverySource {
  readonly point: KnownPoint;
  readonly disks: readonly ManifestDisk[];
  /** The whole VM: its configuration too. */
  readonly whole: boolean;
}

export class FilesToFolderError extends MabsError {
  readonly code = 'MABS-FILES-TO-FOLDER';
  readonly hint = 'Write --to folder:DIR or --to host-folder:HOST:PATH.';
  override readonly kind = 'usage';
  constructor(target: string) {
    super(`files, volumes and single disks are recovered to a folder, not to ${target}`);
  }
}

export class TargetUnreadableError extends MabsError {
  readonly code = 'MABS-TARGET-UNREADABLE';
  readonly hint = 'Write --to folder:DIR, --to host-folder:HOST:PATH, --to original or --to host:NAME.';
  override readonly kind = 'usage';
  constructor(text: string) {
    super(`"${text}" is not a target of a recovery`);
  }
}

/** Reads `folder:DIR`, `host-folder:HOST:PATH`, `original` or `host:NAME`. */
export function parseRecoveryTarget(text: string): RecoveryTarget {
  if (text === 'original') return { type: 'original' };
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(0, colon));
  const rest = text.slice(colon + 1);
  if (rest && kind === 'folder') return { type: 'folder', path: rest };
  if (rest && kind === 'host') return { type: 'host', host: rest };
  const [host = '', path] = splitOnce(rest, ':');
  if (kind === 'host-folder' && host && path) return { type: 'host-folder', host, path };
  throw new TargetUnreadableError(text);
}

/** The folder that a target names, as an absolute path of this machine; MABS-TARGET-UNREADABLE for one that is no folder, MABS-TARGET-OWN for one of mabs. */
export async function reachTarget(ports: Ports, text: string): Promise<string> {
  const target = parseRecoveryTarget(text);
  if (target.type !== 'folder' && target.type !== 'host-folder') throw new FilesToFolderError(text);
  const folder = target.type === 'folder' ? resolve(target.path) : await (await ports.openHost(target.host)).reachFolder(target.path);
  await refuseOwnFolder(ports, folder);
  return folder;
}

/** Finds the point, and the disk where one is named. */
export async function findRecoverySource(ports: Ports, text: string): Promise<RecoverySource> {
  const { point, path } = await getPoint(ports, text);
  const { disks } = point.manifest;
  if (path === undefined || path === '/') return { point, disks, whole: true };
  const index = parseDiskPath(path);
  const disk = disks.find((candidate) => candidate.index === index);
  if (!disk) throw new DiskUnknownError(text, disks);
  return { point, disks: [disk], whole: false };
}

/** The largest virtual disk that a VHD can hold: 2040 GiB. */
const VHD_MAX_BYTES = 2040 * 2 ** 30;

export class FormatImpossibleError extends MabsError {
  readonly code = 'MABS-FORMAT-IMPOSSIBLE';
  readonly hint = 'Recover it as VHDX or raw: --format vhdx, --format raw.';
  override readonly kind = 'prerequisite';
  constructor(disk: string, why: string) {
    super(`${disk} cannot be written as VHD: ${why}`);
  }
}

/** Refuses a format that cannot hold a disk, before anything is written. */
export function checkFormat(disks: readonly ManifestDisk[], format: DiskFormatName): void {
  if (format !== 'vhd') return;
  for (const { index, virtualSize, logicalSectorSize } of disks) {
    if (virtualSize > VHD_MAX_BYTES) throw new FormatImpossibleError(diskName(index), 'a VHD holds at most 2040 GiB');
    if (logicalSectorSize !== 512) throw new FormatImpossibleError(diskName(index), 'a VHD has sectors of 512 bytes, the disk has 4096');
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
