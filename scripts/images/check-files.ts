import { createHash } from 'node:crypto';
import { openImage } from '../../src/core/inside/opened-image.ts';
import type { OpenedMachine } from '../../src/core/inside/opened-machine.ts';
import { type WalkedFile, walkFiles } from '../../src/core/inside/walk-files.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { type FileContent, type FileNode, type FileSystem, FileSystemUnsupportedError } from '../../src/filesystems/file-system.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import { MabsError } from '../../src/lib/errors.ts';
import { fileTimeText } from '../../src/lib/file-time.ts';
import type { TrueFile, TrueFileSystem } from './image-truth.ts';

/** What was compared and is as it should be, and what is not. */
export interface FilesRow {
  readonly name: string;
  readonly checked: string[];
  readonly problems: string[];
}

const QUARTER_HOUR = 900_000_000_000n;
const PIECE = 1024 * 1024;
/** Of a hostile image no file is read further than this: its size is what it says. */
const HOSTILE_BYTES = 16 * 1024 * 1024;
/** What independent readers do not list, each for a reason of its own. */
const NOT_LISTED = /^\/(\$|\[SYS|lost\+found$)/;

/** Compares every file of every file system of an image with what independent readers saw. */
export async function checkFiles(image: string, truths: readonly TrueFileSystem[], row: FilesRow): Promise<void> {
  await using machine = openImage({ diskFormats, fileSystems }, { image });
  for (const truth of truths) {
    const name = `p${truth.partition}`;
    try {
      await checkFileSystem(await openVolume(machine, truth.partition), truth, name, row);
    } catch (error) {
      judgeRefusal(error, truth, name, row);
    }
  }
}

async function openVolume(machine: OpenedMachine, partition: number): Promise<FileSystem> {
  const volume = await machine.volume({ type: 'partition', partition: partition === 0 ? 1 : partition });
  return await machine.fileSystem(volume);
}

/** What has no files in the truth may be refused by a typed error; what is encrypted has to be named. */
function judgeRefusal(error: unknown, { files, type, expect_ls }: TrueFileSystem, name: string, row: FilesRow): void {
  const typed = error instanceof MabsError && (error.kind === 'damaged' || error.kind === 'prerequisite' || error.kind === 'failed');
  const message = error instanceof MabsError ? `${error.code}: ${error.message}` : String(error instanceof Error ? error.stack : error);
  const named = expect_ls !== 'encrypted' || (error instanceof FileSystemUnsupportedError && message.includes(String(type)));
  if (!files && typed && named) row.checked.push(`${name} ${type ?? 'nothing'} refused`);
  else row.problems.push(`${name} ${message}`);
}

async function checkFileSystem(system: FileSystem, truth: TrueFileSystem, name: string, row: FilesRow): Promise<void> {
  const found = new Map<string, FileNode>();
  const damaged: string[] = [];
  for await (const file of walk(system)) {
    if (file.node) found.set(file.path, file.node);
    if (file.error) damaged.push(`${file.path}: ${file.error.message}`);
  }
  if (!truth.files) {
    row.checked.push(`${name} read`);
    return;
  }
  const problems: string[] = damaged.map((what) => `damaged ${what}`);
  const known = new Set(truth.files.map(({ path }) => path));
  for (const [path, { unreadable }] of found) {
    // Names of encrypted files without their key are listed by some tools and not by others.
    if (!known.has(path) && !NOT_LISTED.test(path) && unreadable === undefined) problems.push(`${path} is not in the truth`);
  }
  let right = 0;
  for (const file of truth.files) {
    if (file.unsure || file.kind === 'other' || file.kind === 'error') continue;
    const wrong = await checkFile(system, found, file, truth.mtime_is_local_time === true);
    if (wrong.length === 0) right += 1;
    else problems.push(...wrong.map((what) => `${file.path} ${what}`));
  }
  row.checked.push(`${name} ${right} files`);
  if (problems.length > 0) row.problems.push(`${name} ${problems.length} problems: ${problems.slice(0, 5).join('; ')}`);
}

async function* walk(system: FileSystem): AsyncGenerator<WalkedFile> {
  yield* walkFiles(system, { names: [], node: await system.root() }, { recursive: true });
}

const TYPES: Record<string, string> = { file: 'file', dir: 'dir', symlink: 'link', ads: 'file' };

async function checkFile(system: FileSystem, found: ReadonlyMap<string, FileNode>, file: TrueFile, coarse: boolean): Promise<string[]> {
  const colon = file.kind === 'ads' ? file.path.lastIndexOf(':') : -1;
  const node = found.get(colon < 0 ? file.path : file.path.slice(0, colon));
  if (!node) return ['is missing'];
  const stream = colon < 0 ? undefined : file.path.slice(colon + 1);
  if (stream !== undefined && !node.streams?.some(({ name }) => name === stream)) return ['is a stream that is missing'];
  const wrong: string[] = [];
  const size = stream === undefined ? node.size : node.streams!.find(({ name }) => name === stream)!.size;
  const interix = file.kind === 'symlink' && node.type === 'file' ? await interixTarget(system, node) : undefined;
  if (interix !== undefined) return interix === file.symlink ? [] : [`leads to ${interix}, should to ${file.symlink}`];
  if (node.type !== TYPES[file.kind]) wrong.push(`is a ${node.type}, should be a ${file.kind}`);
  if (file.size !== undefined && (file.kind === 'file' || file.kind === 'ads') && size !== file.size)
    wrong.push(`has ${size} bytes, should have ${file.size}`);
  if (file.symlink !== undefined && node.target !== file.symlink) wrong.push(`leads to ${node.target}, should to ${file.symlink}`);
  if (file.kind === 'file' && file.mtime !== undefined && !isSameTime(system.info.type, node, file.mtime, coarse))
    wrong.push(`was modified ${fileTimeText(node.modified)}, should be ${file.mtime}`);
  if (file.sha256 !== undefined && wrong.length === 0) {
    const sha256 = await digestOf(system, node, stream).catch((error: unknown) => {
      if (error instanceof MabsError) return `${error.code}: ${error.message}`;
      throw error;
    });
    if (sha256 !== file.sha256) wrong.push(`has the content ${sha256}, should have ${file.sha256}`);
  }
  return wrong;
}

/** A link as Interix and ntfs-3g keep it, to Windows a file of the system: its signature, then the target in UTF-16. */
async function interixTarget(system: FileSystem, node: FileNode): Promise<string | undefined> {
  if (node.size < 8 || node.size > 65_536) return undefined;
  const [bytes] = await Array.fromAsync(piecesOf(await system.open(node)));
  const isLink = Buffer.from(bytes!.subarray(0, 8)).equals(Buffer.from('IntxLNK\x01', 'latin1'));
  return isLink ? Buffer.from(bytes!.subarray(8)).toString('utf16le') : undefined;
}

/**
 * FAT keeps local time in units of two seconds; of the others each tool shows as many decimals as it likes. exFAT keeps the distance
 * from UTC too, in quarters of an hour, which mabs reads and the tools do not.
 */
function isSameTime(system: string, { modified }: FileNode, wanted: string, coarse: boolean): boolean {
  if (modified === undefined) return false;
  const match = /^(.*?)(?:\.(\d+))?Z?$/.exec(wanted)!;
  const exact = BigInt(Date.parse(`${match[1]}Z`)) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0').slice(0, 9) || '0');
  const apart = modified > exact ? modified - exact : exact - modified;
  const shift = system === 'exfat' && apart / QUARTER_HOUR <= 64n ? apart % QUARTER_HOUR : apart;
  if (coarse && (shift <= 2_000_000_000n || QUARTER_HOUR - shift <= 2_000_000_000n)) return true;
  return apart <= (coarse ? 2_000_000_000n : match[2] === undefined ? 1_000_000_000n : 100n);
}

async function digestOf(system: FileSystem, node: FileNode, stream: string | undefined): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of piecesOf(await system.open(node, stream))) digest.update(piece);
  return digest.digest('hex');
}

async function* piecesOf(content: FileContent, most = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  const end = Math.min(content.sizeBytes, most);
  for (let at = 0; at < end; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, end - at));
    await content.read(at, piece);
    yield piece;
  }
}

/** Reads what a hostile image offers, as a person would who meets one error after the other. Anything but typed errors is thrown. */
export async function readHostile(image: string): Promise<string> {
  await using machine = openImage({ diskFormats, fileSystems }, { image });
  const codes = new Map<string, number>();
  const note = (error: unknown) => {
    if (!(error instanceof MabsError)) throw error;
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
  };
  let files = 0;
  for (const volume of await machine.volumes({ type: 'all' })) {
    try {
      const system = await machine.fileSystem(volume);
      for await (const file of walk(system)) {
        files += 1;
        if (file.error) note(file.error);
        if (file.node?.type === 'file') await readAll(system, file.node).catch(note);
      }
    } catch (error) {
      note(error);
    }
  }
  return [`${files} files`, ...[...codes].map(([code, count]) => `${count} ${code}`)].join(', ');
}

async function readAll(system: FileSystem, node: FileNode): Promise<void> {
  for await (const _ of piecesOf(await system.open(node), HOSTILE_BYTES));
}
