import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { nameToBytes } from '../../lib/byte-names.ts';
import { MabsError, systemErrorCode } from '../../lib/errors.ts';

/** How a folder is held while things are made in it. */
export type Anchors =
  /** Linux: by an open descriptor, through which its entries are reached; nobody can put another folder in its place. */
  | 'descriptors'
  /** Elsewhere: by its path, whose identity is looked at before and after each change. */
  | 'paths';

/** Bytes of a path on Linux, its ending NUL left out; UTF-16 units of one on Windows, its prefix `\\?\` left out. */
const MOST_PATH = process.platform === 'win32' ? 32_760 : 4095;

export class TargetUnsafeError extends MabsError {
  readonly code = 'MABS-TARGET-UNSAFE';
  readonly hint = 'Recover into a folder that is yours alone and holds no links.';
  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path} ${why}: nothing is written through it`, options);
  }
}

export class PathTooLongError extends MabsError {
  readonly code = 'MABS-PATH-TOO-LONG';
  readonly hint = 'Recover the folder that it lies in by itself (…:/diskN/pN/FOLDER), into a target with a short path.';
  constructor(path: string) {
    const shown = path.length > 120 ? `${path.slice(0, 60)}…${path.slice(-59)}` : path;
    super(`${shown}: its path would have ${lengthOf(path)} units, and this system takes ${MOST_PATH}`);
  }
}

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A folder of the target, held so that what is made in it lands in it and nowhere else. */
export class TargetFolder {
  /** As people read it. */
  readonly path: string;
  /** Made by this job: it was empty. */
  readonly made: boolean;
  readonly #anchors: Anchors;
  readonly #identity: Identity;
  readonly #real: string;
  #handle: FileHandle | undefined;

  private constructor(held: { path: string; made: boolean; anchors: Anchors; identity: Identity; real: string; handle?: FileHandle }) {
    this.path = held.path;
    this.made = held.made;
    this.#anchors = held.anchors;
    this.#identity = held.identity;
    this.#real = held.real;
    this.#handle = held.handle;
  }

  /** Opens the target itself. It may be a link: that is its owner's choice. */
  static async open(path: string, anchors: Anchors): Promise<TargetFolder> {
    const real = await realpath(path);
    if (anchors === 'paths') return new TargetFolder({ path, made: false, anchors, identity: await stat(real, { bigint: true }), real });
    const handle = await open(real, constants.O_RDONLY | constants.O_DIRECTORY);
    return new TargetFolder({ path, made: false, anchors, identity: await handle.stat({ bigint: true }), real, handle });
  }

  /** Whether two names lead to one folder. */
  get key(): string {
    return `${this.#identity.dev}:${this.#identity.ino}`;
  }

  /** Makes a folder (EEXIST where anything is there) or enters one that is there; never through a link. */
  async folder(name: string, how: 'make' | 'enter', mode = 0o777): Promise<TargetFolder> {
    const path = this.childPath(name);
    return await this.within(name, async (child) => {
      if (how === 'make') await mkdir(child, { mode });
      const held = { path, made: how === 'make', anchors: this.#anchors };
      if (this.#anchors === 'paths') {
        const identity = await lstat(child, { bigint: true });
        const real = await realpath(child);
        // A folder that was there may be written in another case: its real name counts.
        if (!identity.isDirectory() || dirname(real) !== this.#real) throw new TargetUnsafeError(path, 'is a link or no folder');
        return new TargetFolder({ ...held, identity, real });
      }
      const handle = await openFolder(child, path);
      return new TargetFolder({ ...held, identity: await handle.stat({ bigint: true }), real: joined(this.#real, name), handle });
    });
  }

  /** Runs a change of one entry, by a path that leads to it and to nothing else. */
  async within<T>(name: string, change: (child: string | Buffer) => Promise<T>): Promise<T> {
    if (this.#anchors === 'descriptors') {
      if (!this.#handle) throw new Error(`${this.path} was closed`);
      return await change(Buffer.concat([Buffer.from(`/proc/self/fd/${this.#handle.fd}/`), nameToBytes(name)]));
    }
    await this.#assertSame();
    const result = await change(joined(this.#real, name));
    try {
      await this.#assertSame();
    } catch (error) {
      // What was opened elsewhere by mistake is not kept open, let alone written to.
      if (isDisposable(result)) await result[Symbol.asyncDispose]();
      throw error;
    }
    return result;
  }

  /** The path of an entry as people read it; rejects what no program could open. */
  childPath(name: string): string {
    const path = joined(this.path, name);
    if (lengthOf(path) > MOST_PATH) throw new PathTooLongError(path);
    return path;
  }

  /** Runs a change of the folder itself. */
  async self<T>(change: (folder: string | FileHandle) => Promise<T>): Promise<T> {
    if (this.#handle) return await change(this.#handle);
    await this.#assertSame();
    return await change(this.#real);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** The path still leads, through no link, to the folder that was opened. */
  async #assertSame(): Promise<void> {
    const [real, found] = await Promise.all([realpath(this.#real), lstat(this.#real, { bigint: true })]).catch((error: unknown) => {
      throw new TargetUnsafeError(this.path, 'was taken away meanwhile', { cause: error });
    });
    const same = found.isDirectory() && found.dev === this.#identity.dev && found.ino === this.#identity.ino;
    if (!same || real !== this.#real) throw new TargetUnsafeError(this.path, 'was replaced meanwhile');
  }
}

async function openFolder(child: string | Buffer, path: string): Promise<FileHandle> {
  try {
    return await open(child, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    throw code === 'ELOOP' || code === 'ENOTDIR' ? new TargetUnsafeError(path, 'is a link or no folder', { cause: error }) : error;
  }
}

/** Nothing is normalized: a name is one name. */
function joined(folder: string, name: string): string {
  return folder.endsWith(sep) ? `${folder}${name}` : `${folder}${sep}${name}`;
}

function lengthOf(path: string): number {
  return process.platform === 'win32' ? path.length : nameToBytes(path).length;
}

function isDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === 'object' && value !== null && Symbol.asyncDispose in value;
}
