import type { FileExtras, FileNode } from '../../filesystems/file-system.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { targetName } from '../../lib/target-names.ts';
import { type Failure, failureOf } from '../job.ts';
import { TargetExistsError } from '../recover-to-folder.ts';
import type { RecoveredFile } from '../recovered-files.ts';
import type { ExtrasEntry } from './extras-file.ts';
import { applyMetadata } from './metadata.ts';
import { OpenFolder, type PendingLink } from './open-folder.ts';
import { LEFT_OUT_NOTE, type RestoreContext, type TreeSource, throwFatal } from './restore-context.ts';
import { type HardLinks, restoreFile } from './restore-file.ts';
import { restoreLink } from './restore-link.ts';
import { stateOf } from './settle.ts';
import type { TargetFolder } from './target-folder.ts';
import { namesTo, type TreePlace, type Visit, walkTree } from './walk-tree.ts';

/**
 * Recovers one selection, with all in it, into an open folder. Each file that fails is listed and the rest goes on; what is thrown ends the
 * recovery. Files may still be under way when this resolves: the context's limiter knows them.
 */
export async function restoreTree(context: RestoreContext, source: TreeSource, into: OpenFolder): Promise<void> {
  const restore = new TreeRestore(context, source, into);
  try {
    await restore.run();
  } finally {
    await restore.end();
  }
}

/** One thing on its way: where it comes from, and the name that it shall have. */
interface Item {
  readonly place: TreePlace;
  readonly node: FileNode;
  readonly into: OpenFolder;
  readonly wanted: string;
}

class TreeRestore {
  readonly #context: RestoreContext;
  readonly #source: TreeSource;
  readonly #hardLinks: HardLinks = new Map();
  /** The folders that the walk is in; below them the one that everything goes into. */
  readonly #folders: OpenFolder[];

  constructor(context: RestoreContext, source: TreeSource, into: OpenFolder) {
    this.#context = context;
    this.#source = source;
    this.#folders = [into];
    into.retain();
  }

  async run(): Promise<void> {
    const { system, node, as, omit } = this.#source;
    const walk = { skipped: false, ...(omit && { omit }) };
    const start = { place: { name: as, parent: undefined }, node };
    for await (const visit of walkTree(system, start, walk, this.#context.signal)) {
      if (visit.type === 'failed') this.#unread(visit);
      else if (visit.type === 'leave') await this.#folders.pop()!.release();
      else if (visit.type === 'enter') walk.skipped = !(await this.#enter(this.#item(visit)));
      else await this.#arrive(this.#item(visit));
    }
  }

  async end(): Promise<void> {
    const results = [];
    for (const folder of this.#folders.reverse()) results.push(...(await Promise.allSettled([folder.release()])));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #unread({ place, listing, error }: Extract<Visit, { type: 'failed' }>): void {
    const into = this.#folders.at(-1)!;
    const name = targetName(place.name, this.#context.target.rules, this.#source.system.names);
    this.#failed(place, listing ? 'dir' : 'other', listing ? into.folder.path : pathIn(into, name), error);
  }

  #item({ place, node }: { place: TreePlace; node: FileNode }): Item {
    const into = this.#folders.at(-1)!;
    return { place, node, into, wanted: into.nameFor(place.name, this.#context.target.rules, this.#source.system.names) };
  }

  /** A directory that cannot be made is left out with all in it; a place in the stack of folders it has all the same. */
  async #enter(item: Item): Promise<boolean> {
    const { place, into } = item;
    try {
      const { folder, name } = await this.#openChild(item);
      const links: PendingLink[] = [];
      into.retain();
      const opened: OpenFolder = new OpenFolder(folder, into.relativeOf(name), async () => {
        try {
          await this.#finish(item, opened, links, name);
        } finally {
          await folder.close();
          await into.release();
        }
      });
      this.#pending.set(opened, links);
      this.#folders.push(opened);
      return true;
    } catch (error) {
      this.#failed(place, 'dir', pathIn(into, item.wanted), error);
      into.retain();
      this.#folders.push(into);
      return false;
    }
  }

  readonly #pending = new WeakMap<OpenFolder, PendingLink[]>();

  /** Makes the folder, or enters the one that is there where that was asked for; one of this job's own is never entered twice. */
  async #openChild({ node, into, wanted }: Item): Promise<{ folder: TargetFolder; name: string }> {
    const { rules } = this.#context.target;
    const { existing } = this.#context;
    let name = wanted;
    for (let tries = 0; tries < 8; tries++) {
      const state = await stateOf(this.#context, into, name);
      if (state === 'replace') throw new TargetExistsError(into.folder.childPath(name));
      try {
        const enters = state === 'taken' || state === 'skip';
        const folder = state === 'own' ? undefined : await into.folder.folder(name, enters ? 'enter' : 'make', madeMode(node));
        if (folder) {
          if (!into.folder.made) into.own(folder.key);
          return { folder, name };
        }
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
        if (!into.folder.made && existing !== 'overwrite' && existing !== 'skip') throw new TargetExistsError(into.folder.childPath(name));
      }
      name = into.twinOf(wanted, rules);
    }
    throw new TargetExistsError(into.folder.childPath(name));
  }

  /** Links, then times: nothing goes through the folder after that. */
  async #finish({ place, node }: Item, opened: OpenFolder, links: readonly PendingLink[], name: string): Promise<void> {
    const { folder } = opened;
    try {
      for (const link of links) await this.#restoreLink(link, opened);
      if (folder.made) await folder.self((self) => applyMetadata(this.#context, node, self));
      const error = await this.#keepExtras(place, node, opened.relative, []);
      this.#done(place, 'dir', folder.path, name, { error });
    } catch (error) {
      this.#failed(place, 'dir', folder.path, error);
    }
  }

  async #arrive(item: Item): Promise<void> {
    const { place, node, into, wanted } = item;
    if (node.type === 'link') {
      const links = this.#pending.get(into);
      if (links) links.push({ place, name: wanted, node });
      else await this.#restoreLink({ place, name: wanted, node }, into);
      return;
    }
    if (node.type !== 'file') return await this.#note(item, node.special ?? 'neither file, folder nor link');
    into.retain();
    const task = async () => {
      try {
        await this.#restoreFile(item);
      } finally {
        await into.release();
      }
    };
    await this.#context.limiter.start(task).catch(async (error: unknown) => {
      await into.release();
      throw error;
    });
  }

  /** What is not made is written down. */
  async #note({ place, node, into, wanted }: Item, note: string): Promise<void> {
    const error = await this.#keepExtras(place, node, into.relativeOf(wanted), [], true);
    const type = node.type === 'file' ? 'file' : 'other';
    this.#context.rows.add({ ...this.#row(place, type, pathIn(into, wanted)), status: 'noted', note, ...(error && { error }) });
  }

  async #restoreFile(item: Item): Promise<void> {
    const { place, node, into, wanted } = item;
    const path = pathIn(into, wanted);
    try {
      if (await this.#source.isLeftOut?.(node)) return await this.#note(item, LEFT_OUT_NOTE);
      const { name, bytesWritten, streams } = await restoreFile(this.#context, this.#source.system, node, into, wanted, this.#hardLinks);
      this.#context.onFile();
      if (name === undefined) {
        this.#context.rows.add({ ...this.#row(place, 'file', path), status: 'skipped' });
        return;
      }
      const error = await this.#keepExtras(place, node, into.relativeOf(name), streams);
      this.#done(place, 'file', pathIn(into, name), name, { bytesWritten, error });
    } catch (error) {
      this.#failed(place, 'file', path, error);
    }
  }

  async #restoreLink({ place, name: wanted, node }: PendingLink, into: OpenFolder): Promise<void> {
    try {
      into.folder.childPath(wanted);
      const { name, status } = await restoreLink(this.#context, node, this.#source.system.names, into, wanted);
      const error = await this.#keepExtras(place, node, into.relativeOf(name ?? wanted), [], status === 'noted');
      if (status === 'ok') this.#done(place, 'link', pathIn(into, name ?? wanted), name ?? wanted, { error });
      else this.#context.rows.add({ ...this.#row(place, 'link', pathIn(into, wanted)), status, ...(error && { error }) });
    } catch (error) {
      this.#failed(place, 'link', pathIn(into, wanted), error);
    }
  }

  /** Writes down what the target does not hold of it. Where that cannot be read or written, what it belongs to is there all the same. */
  async #keepExtras(
    place: TreePlace,
    node: FileNode,
    path: string,
    streams: ExtrasEntry['streams'],
    noted = false,
  ): Promise<Failure | undefined> {
    try {
      const extras = await this.#source.system.extras(node);
      const names = this.#namesOf(place);
      const mapped = path.slice(path.lastIndexOf('/') + 1) !== place.name;
      if (noted || mapped || streams.length > 0 || isTelling(extras, node))
        await this.#context.extras.add({ path, volume: this.#source.volume, names, node, extras, streams });
      return undefined;
    } catch (error) {
      throwFatal(error, path);
      return failureOf(error);
    }
  }

  #done(
    place: TreePlace,
    type: RecoveredFile['type'],
    path: string,
    name: string,
    how: { bytesWritten?: number; error: Failure | undefined },
  ) {
    const { bytesWritten = 0, error } = how;
    const row = { ...this.#row(place, type, path), status: 'ok' as const, bytesWritten, ...(error && { error }) };
    this.#context.rows.add(name === place.name ? row : { ...row, originalName: place.name });
  }

  #failed(place: TreePlace, type: RecoveredFile['type'], path: string, error: unknown): void {
    throwFatal(error, path);
    this.#context.rows.add({ ...this.#row(place, type, path), status: 'failed', error: failureOf(error) }, error);
  }

  #row(place: TreePlace, type: RecoveredFile['type'], path: string) {
    return { source: `${this.#source.volume}/${this.#namesOf(place).join('/')}`, path, type, bytesWritten: 0 };
  }

  /** From the root of the volume: the name that the selection gets in the target is not one of them. */
  #namesOf(place: TreePlace): string[] {
    return [...this.#source.names, ...namesTo(place).slice(1)];
  }
}

/** While it is filled its owner must be able to; what it may be for others is set when it is complete. */
function madeMode({ mode }: FileNode): number {
  return mode === undefined ? 0o777 : (mode & 0o777) | 0o700;
}

/** Path as people read it, also of what cannot be made there. */
function pathIn(into: OpenFolder, name: string): string {
  return `${into.folder.path.replace(/[\\/]$/, '')}/${name}`;
}

const TOLD_ATTRIBUTES = new Set(['readonly', 'hidden', 'system', 'encrypted', 'offline', 'deduplicated']);

function isTelling({ securityDescriptor, reparsePoint, extendedAttributes }: FileExtras, { attributes }: FileNode): boolean {
  const telling = securityDescriptor ?? reparsePoint ?? (extendedAttributes?.length ? extendedAttributes : undefined);
  return telling !== undefined || attributes?.some((attribute) => TOLD_ATTRIBUTES.has(attribute)) === true;
}
