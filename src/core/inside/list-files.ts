import type { FileAttribute, FileNode, FileStream, FileType } from '../../filesystems/file-system.ts';
import { MabsError } from '../../lib/errors.ts';
import { fileTimeText } from '../../lib/file-time.ts';
import { namePattern } from '../find/name-pattern.ts';
import { type Failure, failureOf } from '../job.ts';
import { type FoundFile, findFile } from './find-file.ts';
import type { MachineVolume } from './machine-volumes.ts';
import type { OpenedMachine } from './opened-machine.ts';
import type { VolumePath } from './volume-path.ts';
import { pathOf } from './volume-path.ts';
import { type WalkedFile, type WalkOptions, walkFiles } from './walk-files.ts';

/** A file as `disk ls` and `browse` print it. */
export interface ListedFile {
  /** Inside the volume that was named; with the volume in front where several were. Begins with `/`. */
  readonly path: string;
  readonly type: FileType;
  /** Bytes; of a volume, all of it. */
  readonly size: number;
  /** ISO 8601 in UTC, with the decimals that the file system keeps; null where it keeps none. */
  readonly modified: string | null;
  readonly created?: string;
  /** POSIX permission bits as a number. */
  readonly mode?: number;
  readonly attributes?: readonly FileAttribute[];
  readonly streams?: readonly FileStream[];
  /** Of a link: where it leads, as stored. */
  readonly target?: string;
  /** Why its content, or what lies on the volume, cannot be read though nothing is damaged. */
  readonly unreadable?: string;
  /** Of a volume: what lies on it, as `blkid` names it. */
  readonly fileSystem?: string | null;
  readonly label?: string;
  /** It is damaged: what is told of it is incomplete. */
  readonly error?: Failure;
}

export interface ListOptions extends WalkOptions {
  /**
   * Only files below that this pattern means, at any depth (see `namePattern`); one with `/` is held against paths from here, and from
   * the root of the volume. Case counts where it does for the file system.
   */
  readonly glob?: string;
  /** A file's alternate data streams are told as entries of their own, too: `FILE:STREAM`, as they are named to be read. */
  readonly streams?: boolean;
}

/**
 * What a path names, listed: the volumes of an image or a point, what lies in a directory, or one file. With `recursive` all that is
 * below, volumes included. What cannot be read is an entry that says why, except when it was asked for itself: then this rejects.
 */
export async function* listFiles(machine: OpenedMachine, path: VolumePath, options: ListOptions = {}): AsyncGenerator<ListedFile> {
  if (options.glob !== undefined) namePattern(options.glob);
  const volumes = await machine.volumes(path);
  if (path.type === 'volume') {
    for await (const file of filesAt(machine, volumes[0]!, path.names, options)) yield* rowsOf(listed(file), options);
    return;
  }
  for (const volume of volumes) {
    const own = await listedVolume(machine, volume);
    if (options.glob === undefined || own.error) yield own;
    if ((options.recursive || options.glob !== undefined) && own.type === 'dir') yield* filesOf(machine, volume, options);
  }
}

/** What lies below a place in a volume: the names in a directory, or the file itself. */
export async function* filesAt(
  machine: OpenedMachine,
  volume: MachineVolume,
  names: readonly string[],
  { glob, ...options }: ListOptions = {},
): AsyncGenerator<WalkedFile> {
  const system = await machine.fileSystem(volume);
  const found = await findFile(system, names, `${machine.what}:${volume.address}`, { asStored: true });
  if (found.node.type !== 'dir') yield ownEntry(found);
  else if (glob === undefined) yield* walkFiles(system, found, options);
  else {
    const matches = namePattern(glob);
    const { address } = volume;
    const caseless = system.names === 'utf16';
    const here = found.names.length === 0 ? 0 : pathOf(found.names).length;
    for await (const file of walkFiles(system, found, { ...options, recursive: true })) {
      // What lies in a folder that cannot be listed may be what is searched for.
      const unsure = file.error !== undefined && file.type === 'dir';
      const isWanted = (path: string) => matches({ address, path, caseless });
      if (unsure || isWanted(file.path) || isWanted(file.path.slice(here))) yield file;
    }
  }
}

function ownEntry({ names, node }: FoundFile): WalkedFile {
  return { names, path: pathOf(names), type: node.type, node };
}

/** A walked file as it is printed; `prefix`: the volume's address where several volumes are told of. */
export function listed({ path, type, node, error }: WalkedFile, prefix = ''): ListedFile {
  const place = `${prefix}${path}`;
  if (!node) return { path: place, type, size: 0, modified: null, ...(error && { error: failureOf(error) }) };
  return { path: place, ...describeNode(node) };
}

function rowsOf(file: ListedFile, { streams }: ListOptions): ListedFile[] {
  if (!streams || !file.streams) return [file];
  const { path, modified } = file;
  return [file, ...file.streams.map(({ name, size }) => ({ path: `${path}:${name}`, type: 'file' as const, size, modified }))];
}

function describeNode(node: FileNode): Omit<ListedFile, 'path'> {
  const { type, size, mode, attributes, streams, target, unreadable } = node;
  const created = fileTimeText(node.created);
  return {
    type,
    size,
    modified: fileTimeText(node.modified) ?? null,
    ...(created !== undefined && { created }),
    ...(mode !== undefined && { mode }),
    ...(attributes && attributes.length > 0 && { attributes }),
    ...(streams && streams.length > 0 && { streams }),
    ...(target !== undefined && { target }),
    ...(unreadable !== undefined && { unreadable }),
  };
}

async function listedVolume(machine: OpenedMachine, volume: MachineVolume): Promise<ListedFile> {
  const { address, sizeBytes, fileSystem, label } = volume;
  const known = { path: address, size: sizeBytes, modified: null, fileSystem, ...(label !== undefined && { label }) };
  try {
    await machine.fileSystem(volume);
    return { ...known, type: 'dir' };
  } catch (error) {
    if (!(error instanceof MabsError) || error.kind === 'interrupted') throw error;
    if (error.kind === 'damaged') return { ...known, type: 'other', error: failureOf(error) };
    return { ...known, type: 'other', unreadable: volume.unreadable ?? error.message.replace(`${address}: `, '') };
  }
}

/** The files of a volume that is one of several. */
async function* filesOf(machine: OpenedMachine, volume: MachineVolume, options: ListOptions): AsyncGenerator<ListedFile> {
  try {
    for await (const file of filesAt(machine, volume, [], options)) yield* rowsOf(listed(file, volume.address), options);
  } catch (error) {
    if (!(error instanceof MabsError) || error.kind !== 'damaged') throw error;
    yield { path: `${volume.address}/`, type: 'dir', size: 0, modified: null, error: failureOf(error) };
  }
}
