import type { FileNode, FileSystem, FileSystems } from '../../filesystems/file-system.ts';
import { readSwapArea } from '../../filesystems/swap-area.ts';
import { signatureOfType, unreadSystemError } from '../../filesystems/unread-system.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import type { Policy } from '../../model/group.ts';
import { EXTENDED_TYPES } from '../inside/disk-volumes.ts';
import type { MachineVolume } from '../inside/machine-volumes.ts';

/** What is to be left out of a volume, or kept although it was asked for. Ranges are of the volume. */
export type VolumeFinding =
  | { readonly what: string; readonly ranges: Iterable<ByteRange> | AsyncIterable<ByteRange> }
  | { readonly what?: string; readonly kept: string };

export interface LookOptions {
  readonly fileSystems: FileSystems;
  readonly leaveOut: Policy['leaveOut'];
}

const PAGE_FILES = ['pagefile.sys', 'hiberfil.sys', 'swapfile.sys'];
/** Such a file is more than scratch space of Windows, or its clusters are not the whole of it. */
const TELLING_ATTRIBUTES = ['compressed', 'encrypted', 'reparse', 'sparse', 'offline', 'deduplicated'] as const;
const ENCRYPTED: ReadonlySet<string> = new Set(['BitLocker', 'crypto_LUKS']);

/**
 * What of a volume is to be left out: only what its file system itself vouches for. Where that is dirty, encrypted or joined with
 * others, or the volume `overlap`s another, the answer is why all of it is kept. Rejects where the file system does.
 */
export async function lookAtVolume(volume: MachineVolume, overlap: string | undefined, options: LookOptions): Promise<VolumeFinding[]> {
  if (!concerns(volume, options)) return [];
  // What lies at the start of a volume that Windows joins with others says nothing of the rest.
  const foreign = signatureOfType(volume.type)?.name ?? (isEncrypted(volume) ? volume.fileSystem : undefined);
  const kept = overlap ?? volume.unreadable ?? (foreign ? unreadSystemError(foreign).message : undefined);
  if (kept !== undefined) return [{ kept }];
  if (volume.fileSystem === 'swsuspend') return [{ kept: 'it holds the image of a hibernated system' }];
  if (volume.fileSystem === 'swap') return [await swapPages(volume)];
  const system = await options.fileSystems.open(volume);
  if (system.info.journal === 'dirty') return [{ kept: `its ${system.info.type} is not clean: changes may be pending that are not seen` }];
  const files = options.leaveOut.includes('pagefile') && system.info.type === 'ntfs' ? await pageFiles(system) : [];
  return options.leaveOut.includes('free') ? [...files, { what: 'free', ranges: system.free() }] : files;
}

const isEncrypted = ({ fileSystem }: MachineVolume) => fileSystem !== null && ENCRYPTED.has(fileSystem);

/** Whether what is to be left out could lie on a volume; what only holds other volumes is passed by, they are looked at themselves. */
function concerns(volume: MachineVolume, { leaveOut }: LookOptions): boolean {
  const { fileSystem, type, unreadable } = volume;
  if (fileSystem === 'LVM2_member' || (fileSystem === null && EXTENDED_TYPES.has(type))) return false;
  if (fileSystem === 'swap' || fileSystem === 'swsuspend') return leaveOut.includes('pagefile');
  if (leaveOut.includes('free')) return true;
  return leaveOut.includes('pagefile') && (fileSystem === 'ntfs' || unreadable !== undefined || isEncrypted(volume));
}

async function swapPages(volume: MachineVolume): Promise<VolumeFinding> {
  const area = await readSwapArea(volume);
  if (typeof area === 'string') return { kept: area };
  return { what: 'swap', ranges: [{ offset: area.pageBytes, length: area.sizeBytes - area.pageBytes }] };
}

async function pageFiles(system: FileSystem): Promise<VolumeFinding[]> {
  const findings: VolumeFinding[] = [];
  const root = await system.root();
  for (const what of PAGE_FILES) {
    const file = await system.find(root, what);
    const kept = file && whyKept(file);
    if (kept !== undefined) findings.push({ what, kept });
    else if (file) findings.push({ what, ranges: await system.allocation(file) });
  }
  return findings;
}

function whyKept({ type, attributes = [], links, unreadable }: FileNode): string | undefined {
  if (type !== 'file') return 'it is no regular file';
  if (unreadable !== undefined) return unreadable;
  const telling = TELLING_ATTRIBUTES.find((attribute) => attributes.includes(attribute));
  if (telling !== undefined) return `it is marked as ${telling}`;
  return links > 1 ? 'it has another name too' : undefined;
}
