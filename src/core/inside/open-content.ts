import { type FileNode, type FileSystem, FileTypeError } from '../../filesystems/file-system.ts';
import { FileUnknownError, type FindOptions, findFile, linkError } from './find-file.ts';
import type { OpenedMachine } from './opened-machine.ts';
import { pathOf, type VolumePath, volumeAddress } from './volume-path.ts';

/** Bytes to be read from the first to the last. */
export interface ContentToRead {
  readonly sizeBytes: number;
  read(offset: number, into: Uint8Array): Promise<void>;
}

/**
 * The bytes of what a path names: of a file, of one of its streams (`FILE:STREAM`, where no file has that very name), of a volume, of a
 * disk. MABS-FILE-TYPE for folders, links and devices, MABS-FILE-UNREADABLE where a file says so.
 */
export async function openContent(machine: OpenedMachine, path: VolumePath): Promise<ContentToRead> {
  if (path.type === 'disk') return machine.disk(path.disk);
  if (path.type === 'all' && !machine.hasDisks) return machine.disk();
  if (path.type !== 'volume') throw new FileTypeError('that names several volumes', 'Name one: /disk0/p2, or /lv/VG/LV.');
  const volume = await machine.volume(path.volume);
  if (path.names.length === 0 && !path.slash) {
    // What tells of files that it cannot be opened tells it of its bytes, too.
    if (volume.unreadable !== undefined) await machine.fileSystem(volume);
    return volume;
  }
  const system = await machine.fileSystem(volume);
  const address = `${machine.what}:${volumeAddress(path.volume)}`;
  const { node, stream, names } = await findFileOrStream(system, path.names, address);
  if (stream === undefined) checkIsFile(node, pathOf(names), address);
  return system.open(node, stream);
}

export interface FileOrStream {
  readonly node: FileNode;
  readonly names: readonly string[];
  /** The stream that is meant, as it is stored; `names` then ends with the name of its file. */
  readonly stream?: string;
}

/** A file of exactly this name first; then what stands before a colon, with a stream named behind it. */
export async function findFileOrStream(
  system: FileSystem,
  names: readonly string[],
  volume: string,
  options: FindOptions = {},
): Promise<FileOrStream> {
  try {
    return await findFile(system, names, volume, options);
  } catch (error) {
    const last = names.at(-1) ?? '';
    if (!(error instanceof FileUnknownError) || !last.includes(':')) throw error;
    for (let colon = last.lastIndexOf(':'); colon > 0; colon = last.lastIndexOf(':', colon - 1)) {
      const found = await findFile(system, [...names.slice(0, -1), last.slice(0, colon)], volume, options).catch(onlyUnknown);
      if (found) return { ...found, stream: streamOf(found.node, last.slice(colon + 1), pathOf(names), volume) };
    }
    throw error;
  }
}

function onlyUnknown(error: unknown): undefined {
  if (!(error instanceof FileUnknownError)) throw error;
}

/** The stream's name as stored: regardless of case, as NTFS takes it. */
function streamOf(node: FileNode, wanted: string, path: string, volume: string): string {
  const known = (node.streams ?? []).map(({ name }) => name);
  const found = known.find((name) => name === wanted) ?? known.find((name) => name.toUpperCase() === wanted.toUpperCase());
  if (found === undefined)
    throw new FileUnknownError(
      volume,
      path,
      known.slice(0, 3).map((name) => `${path.slice(0, path.lastIndexOf(':'))}:${name}`),
    );
  return found;
}

function checkIsFile(node: FileNode, path: string, volume: string): void {
  if (node.type === 'link') throw linkError(node, path, volume);
  if (node.type === 'dir') throw new FileTypeError(`${path} on ${volume} is a folder`, 'Name a file; `disk ls` and `browse` list folders.');
  if (node.type === 'other')
    throw new FileTypeError(`${path} on ${volume} is no file: ${node.special ?? 'a special file'}`, 'It has no content.');
}
