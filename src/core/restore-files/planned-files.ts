import { lstat } from 'node:fs/promises';
import { sep } from 'node:path';
import type { FileNode } from '../../filesystems/file-system.ts';
import { nameToBytes } from '../../lib/byte-names.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { type NameOrigin, type NameRules, targetName } from '../../lib/target-names.ts';
import { failureOf } from '../job.ts';
import { TargetExistsError } from '../recover-to-folder.ts';
import type { RecoveredFile, RecoverFilesRequest } from '../recovered-files.ts';
import type { RecoveryRows } from './recovery-rows.ts';
import { LEFT_OUT_NOTE, type TreeSource } from './restore-context.ts';
import { canMakeLink } from './restore-link.ts';
import type { Selected } from './selections.ts';
import { namesTo, type TreePlace } from './walk-tree.ts';

/** What becomes of a file; `thrown`: what it fails with. */
type Outcome = Pick<RecoveredFile, 'status' | 'note' | 'error'> & { readonly thrown?: unknown };

/** What a recovery would do, file by file, as rows. Reads no content; the target is looked at, need not be there, and is not changed. */
export class PlannedFiles {
  readonly rules: NameRules;
  readonly #rows: RecoveryRows;
  readonly #folder: string;
  readonly #skips: boolean;
  readonly #links: 'keep' | 'skip';

  /** Names are those of this system unless others were asked for: what the target takes can only be found out by writing. */
  constructor(
    rows: RecoveryRows,
    folder: string,
    { names = 'auto', existing, links = 'keep' }: Omit<RecoverFilesRequest, 'selections' | 'to'>,
  ) {
    const windows = names === 'windows' || (names === 'auto' && process.platform === 'win32');
    this.rules = { kind: windows ? 'windows' : 'posix', caseSensitive: !windows, anyBytes: !windows, longNames: windows };
    this.#rows = rows;
    this.#folder = folder;
    this.#skips = existing === 'skip';
    this.#links = links;
  }

  /** Where what has this name lies, in the target itself. */
  pathOf(name: string): string {
    return this.#path([name]);
  }

  async isFree(name: string): Promise<boolean> {
    return (await thereAt(this.#path([name]))) === undefined;
  }

  /** A volume or a disk, as an image. */
  async addImage({ volume, as }: Selected): Promise<void> {
    const name = targetName(as, this.rules, 'utf16');
    const path = this.#path([name]);
    this.#add({ source: volume, path, type: 'volume', bytesWritten: 0 }, await this.#placed(path));
  }

  async addNode(source: TreeSource, place: TreePlace, node: FileNode): Promise<void> {
    const row = this.#row(source, place);
    const { type } = node;
    this.#add({ ...row, type }, await this.#outcome(source, node, row.path));
  }

  addFailed(source: TreeSource, place: TreePlace, error: unknown): void {
    this.#add({ ...this.#row(source, place), type: 'other' }, failed(error));
  }

  #add(row: Omit<RecoveredFile, 'status'>, { thrown, ...outcome }: Outcome): void {
    this.#rows.add({ ...row, ...outcome }, thrown);
  }

  async #outcome(source: TreeSource, node: FileNode, path: string): Promise<Outcome> {
    if (node.type === 'dir') return (await thereAt(path)) === 'other' ? failed(new TargetExistsError(path)) : { status: 'planned' };
    if (node.type === 'other') return { status: 'noted', note: node.special ?? 'neither file, folder nor link' };
    if (node.type === 'link') {
      const made = this.#links === 'keep' && canMakeLink(node, source.system.names);
      return made ? await this.#placed(path) : { status: 'noted' };
    }
    try {
      if (await source.isLeftOut?.(node)) return { status: 'noted', note: LEFT_OUT_NOTE };
      // Says in its own words why.
      if (node.unreadable !== undefined) await source.system.open(node);
    } catch (error) {
      return failed(error);
    }
    return await this.#placed(path);
  }

  /** What becomes of something that is no folder: one that is there does not give way to it. */
  async #placed(path: string): Promise<Outcome> {
    const there = await thereAt(path);
    if (there !== undefined && this.#skips) return { status: 'skipped' };
    return there === 'dir' ? failed(new TargetExistsError(path)) : { status: 'planned' };
  }

  #row({ volume, names, system }: TreeSource, place: TreePlace) {
    const inside = [...names, ...namesTo(place).slice(1)].join('/');
    const way = namesTo(place).map((name) => targetName(name, this.rules, system.names satisfies NameOrigin));
    const mapped = way.at(-1) !== place.name && { originalName: place.name };
    return { source: `${volume}/${inside}`, path: this.#path(way), bytesWritten: 0, ...mapped };
  }

  #path(names: readonly string[]): string {
    return [this.#folder.replace(/[\\/]$/, ''), ...names].join(sep);
  }
}

async function thereAt(path: string): Promise<'dir' | 'other' | undefined> {
  try {
    const found = await lstat(process.platform === 'win32' ? path : Buffer.from(nameToBytes(path)));
    return found.isDirectory() ? 'dir' : 'other';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function failed(thrown: unknown): Outcome {
  return { status: 'failed', error: failureOf(thrown), thrown };
}
