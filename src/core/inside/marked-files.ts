import type { FileType } from '../../filesystems/file-system.ts';
import { findFile } from './find-file.ts';
import type { OpenedMachine } from './opened-machine.ts';
import { pathOf, type VolumePath } from './volume-path.ts';
import { walkFiles } from './walk-files.ts';

/** Something in a machine that was picked: a file or folder of a volume, or a volume as it is. */
export interface MarkedFile {
  /** The volume's. */
  readonly address: string;
  /** From its root down; absent: the volume itself, as an image. */
  readonly names?: readonly string[];
  readonly type: FileType | 'volume';
  /** Bytes; of a folder 0. */
  readonly size: number;
}

/** What a number of marked files come to. */
export interface MarkedTotal {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  /** Entries of marked folders that are damaged. */
  readonly damaged: number;
}

/** The files and folders that were picked so far. What lies in a marked folder is marked with it. */
export class MarkedFiles {
  readonly #marks = new Map<string, MarkedFile>();

  get count(): number {
    return this.#marks.size;
  }

  list(): MarkedFile[] {
    return [...this.#marks.values()];
  }

  /** `own`: marked itself; `within`: a folder above it is. */
  stateOf({ address, names }: Pick<MarkedFile, 'address' | 'names'>): 'own' | 'within' | undefined {
    if (this.#marks.has(keyOf(address, names))) return 'own';
    if (names === undefined) return undefined;
    const isWithin = names.some((_, length) => this.#marks.has(keyOf(address, names.slice(0, length))));
    return isWithin ? 'within' : undefined;
  }

  /** Marks it, and takes the marks of what lies in it away: they say nothing any more. Nothing happens to what is marked by a folder. */
  mark(file: MarkedFile): void {
    if (this.stateOf(file) !== undefined) return;
    const prefix = `${keyOf(file.address, file.names)}\0`;
    if (file.names !== undefined) for (const key of this.#marks.keys()) if (key.startsWith(prefix)) this.#marks.delete(key);
    this.#marks.set(keyOf(file.address, file.names), file);
  }

  /** Takes a mark away; what is marked by a folder stays so. */
  unmark({ address, names }: Pick<MarkedFile, 'address' | 'names'>): void {
    this.#marks.delete(keyOf(address, names));
  }

  /** Counts what is marked, folders to their last file. */
  async measure(machine: OpenedMachine, volumeOf: (address: string) => VolumePath, signal?: AbortSignal): Promise<MarkedTotal> {
    const total = { files: 0, folders: 0, bytes: 0, damaged: 0 };
    const add = (type: MarkedFile['type'], size: number) => {
      if (type === 'dir') total.folders++;
      else total.files++;
      if (type === 'file' || type === 'volume') total.bytes += size;
    };
    for (const { address, names, type, size } of this.#marks.values()) {
      add(type, size);
      if (type !== 'dir' || names === undefined) continue;
      const [volume] = await machine.volumes(volumeOf(address));
      const system = await machine.fileSystem(volume!);
      const start = await findFile(system, names, address);
      for await (const file of walkFiles(system, start, { recursive: true, ...(signal && { signal }) })) {
        if (file.node) add(file.type, file.node.size);
        else total.damaged++;
      }
    }
    return total;
  }
}

/** How a marked file is named in a command line, behind the `:` of a point. */
export function markedPath({ address, names }: Pick<MarkedFile, 'address' | 'names'>): string {
  if (names === undefined) return address;
  return names.length === 0 ? `${address}/` : `${address}${pathOf(names)}`;
}

function keyOf(address: string, names: readonly string[] | undefined): string {
  return names === undefined ? `\0${address}` : [address, ...names].join('\0');
}
