import { randomFillSync } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, open, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { isZero } from '../../src/lib/zeros.ts';
import { anMbr } from '../../test/builders/partition-tables.ts';
import { hashFile } from '../images/hash-file.ts';
import { takeFiles } from './take-files.ts';

const MiB = 2 ** 20;
/** Before the one partition. */
const HEAD_BYTES = MiB;
const FILES_BYTES = 256 * MiB;
const SCRATCH = ['pagefile.sys', 'hiberfil.sys', 'swapfile.sys'];

/** A disk with one NTFS volume as Windows has it, filled through a mount of ntfs-3g: needs root, or rights to mount with FUSE. */
export class WindowsLikeDisk {
  readonly folder: string;
  readonly raw: string;
  /** What `raw` was the day before, once there is one. */
  readonly rawBefore: string;
  readonly #volume: string;
  readonly #files: string;
  readonly #pageBytes: number;

  private constructor(folder: string, pageBytes: number, files: string) {
    this.folder = folder;
    this.raw = join(folder, 'disk.raw');
    this.rawBefore = `${this.raw}.before`;
    this.#volume = join(folder, 'volume.ntfs');
    this.#files = files;
    this.#pageBytes = pageBytes;
  }

  /** Its page file has so many bytes, the other two a quarter and a sixteenth of that; other files come from the folder `files`. */
  static async make(pageBytes: number, files: string): Promise<WindowsLikeDisk> {
    const disk = new WindowsLikeDisk(await mkdtemp(join(tmpdir(), 'mabs-left-out-')), pageBytes, files);
    const sizeBytes = Math.ceil((pageBytes * 1.75 + 2 * FILES_BYTES) / MiB) * MiB;
    await writeFile(disk.#volume, '');
    await truncate(disk.#volume, sizeBytes);
    await execa('mkntfs', ['--quiet', '--fast', '--force', '--label', 'Windows', disk.#volume]);
    await disk.#mounted(disk.#volume, async (root) => {
      await disk.#copyFiles(root, 0);
      for (const [index, name] of SCRATCH.entries()) await writeRandom(join(root, name), pageBytes / 4 ** index);
    });
    await disk.#joinParts();
    return disk;
  }

  /** Files go and come, the page file gives up half of its clusters, another file takes them, and it grows elsewhere. */
  async change(): Promise<void> {
    await rename(this.raw, this.rawBefore);
    await this.#mounted(this.#volume, async (root) => {
      await truncate(join(root, SCRATCH[0]!), this.#pageBytes / 2);
      await writeRandom(join(root, 'database.bin'), this.#pageBytes / 8);
      await rm(join(root, 'files', '3'), { recursive: true });
      await this.#copyFiles(root, 1);
      await writeRandom(join(root, SCRATCH[0]!), (this.#pageBytes * 5) / 8);
      await writeRandom(join(root, SCRATCH[1]!), this.#pageBytes / 4);
    });
    await this.#joinParts();
  }

  /** SHA-256 of every file of a volume, by its path; the page files have none. */
  async hashes(volume = this.#volume): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    await this.#mounted(volume, async (root) => {
      for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
        const path = join(entry.parentPath, entry.name);
        const name = path.slice(root.length + 1);
        if (entry.isFile()) found.set(name, this.isScratch(name) ? 'random' : await hashFile(path));
      }
    });
    return found;
  }

  isScratch(name: string): boolean {
    return SCRATCH.includes(name);
  }

  /** Bytes that the page files take on the volume, as ntfs-3g says. */
  async scratchBytes(): Promise<number> {
    let sum = 0;
    await this.#mounted(this.#volume, async (root) => {
      for (const name of SCRATCH) sum += (await stat(join(root, name))).blocks * 512;
    });
    return sum;
  }

  /** Whether the page files of a volume are there and read as zeros. */
  async hasZeroScratch(volume: string): Promise<boolean> {
    const zeros: boolean[] = [];
    await this.#mounted(volume, async (root) => {
      for (const name of SCRATCH) zeros.push(await isZeroFile(join(root, name)));
    });
    return zeros.every(Boolean);
  }

  /** The volume of a raw disk, in a file of its own. */
  async volumeOf(raw: string): Promise<string> {
    const volume = `${raw}.ntfs`;
    await execa('dd', [`if=${raw}`, `of=${volume}`, 'bs=1M', 'skip=1', 'conv=sparse', 'status=none']);
    return volume;
  }

  async isSound(volume: string): Promise<boolean> {
    return (await execa('ntfsfix', ['--no-action', volume], { reject: false })).exitCode === 0;
  }

  async #joinParts(): Promise<void> {
    const { size } = await stat(this.#volume);
    const head = Buffer.alloc(HEAD_BYTES);
    head.set(anMbr([{ type: 7, start: HEAD_BYTES / 512, sectors: size / 512 }]));
    await writeFile(this.raw, head);
    await truncate(this.raw, HEAD_BYTES + size);
    await execa('dd', [`if=${this.#volume}`, `of=${this.raw}`, 'bs=1M', 'seek=1', 'conv=sparse,notrunc', 'status=none']);
  }

  async #copyFiles(root: string, day: number): Promise<void> {
    const files = await takeFiles(this.#files, FILES_BYTES);
    for (const [index, { path }] of files.entries()) {
      if ((index % 20 === 7) !== (day === 1)) continue;
      const folder = join(root, 'files', `${index % 20}`);
      await mkdir(folder, { recursive: true });
      await copyFile(path, join(folder, `${index}-${basename(path)}`));
    }
  }

  async #mounted(volume: string, work: (root: string) => Promise<void>): Promise<void> {
    const root = join(this.folder, 'mounted');
    await mkdir(root, { recursive: true });
    await execa('ntfs-3g', [volume, root]);
    try {
      await work(root);
    } finally {
      await execa('umount', [root]);
    }
  }
}

const buffer = Buffer.alloc(8 * MiB);

async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  await using file = await open(path, 'w');
  for (let at = 0; at < sizeBytes; at += buffer.length) {
    const length = Math.min(buffer.length, sizeBytes - at);
    await file.write(randomFillSync(buffer), 0, length, at);
  }
}

async function isZeroFile(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return at > 0;
    if (!isZero(buffer.subarray(0, bytesRead))) return false;
    at += bytesRead;
  }
}
