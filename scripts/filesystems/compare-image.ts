import { createHash } from 'node:crypto';
import { openImage } from '../../src/core/inside/opened-image.ts';
import { type WalkedFile, walkFiles } from '../../src/core/inside/walk-files.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import type { FileContent, FileNode, FileSystem } from '../../src/filesystems/file-system.ts';
import { fileSystems } from '../../src/filesystems/registry.ts';
import type { MadeImage } from './make-image.ts';
import type { TrueFile } from './true-files.ts';

export interface CompareOptions {
  readonly timeUnit: bigint;
  readonly lastSecond: number;
  readonly posix: boolean;
}

/** What the system itself keeps, which a mount does not show. */
const OWN = /^\/(\$|lost\+found$)/;
const SECOND = 1_000_000_000n;

/** Compares everything that mabs reads from an image with what the other reader saw; answers what differs, and how much was equal. */
export async function compareImage(
  { image, files, streams }: MadeImage,
  options: CompareOptions,
): Promise<{ readonly files: number; readonly bytes: number; readonly problems: string[] }> {
  await using machine = openImage({ diskFormats, fileSystems }, { image });
  const system = await machine.fileSystem(await machine.volume({ type: 'partition', partition: 1 }));
  return await compareSystem(system, { files, streams }, options);
}

/** The same for a file system that is open. */
export async function compareSystem(
  system: FileSystem,
  { files, streams }: Pick<MadeImage, 'files' | 'streams'>,
  options: CompareOptions,
): Promise<{ readonly files: number; readonly bytes: number; readonly problems: string[] }> {
  const problems: string[] = [];
  const found = new Map<string, FileNode>();
  const root = await system.root();
  for await (const file of walkFiles(system, { names: [], node: root }, { recursive: true })) {
    const { path, node, error } = file;
    if (error) problems.push(`${path}: ${error.message}`);
    if (!node || (OWN.test(path) && !files.has(path))) continue;
    found.set(path, node);
    const parent = file.names.length === 1 ? root : found.get(path.slice(0, -file.names.at(-1)!.length - 1));
    if (parent) problems.push(...(await lookUp(system, parent, file, node)).map((what) => `${path} ${what}`));
  }
  for (const path of found.keys()) if (!files.has(path)) problems.push(`${path} is there for mabs alone`);
  let bytes = 0;
  for (const [path, truth] of files) {
    const node = found.get(path);
    if (!node) {
      problems.push(`${path} is missing`);
      continue;
    }
    problems.push(...differences(node, truth, options).map((what) => `${path} ${what}`));
    if (truth.sha256 === undefined || node.type !== 'file') continue;
    bytes += truth.size;
    const sha256 = await system
      .open(node)
      .then(digestOf)
      .catch((error: Error) => error.message);
    if (sha256 !== truth.sha256) problems.push(`${path} has another content (${sha256})`);
  }
  for (const [name, sha256] of streams) {
    const colon = name.lastIndexOf(':');
    const node = found.get(name.slice(0, colon));
    const own =
      node &&
      (await system
        .open(node, name.slice(colon + 1))
        .then(digestOf)
        .catch((error: Error) => error.message));
    if (own !== sha256) problems.push(`the stream ${name} has another content (${own})`);
  }
  return { files: files.size, bytes, problems };
}

/** Each name is looked up, as it is, in other letters where they count for nothing, and made longer, which is no file. */
async function lookUp(system: FileSystem, parent: FileNode, { names }: WalkedFile, { id }: FileNode): Promise<string[]> {
  const name = names.at(-1)!;
  const idOf = async (typed: string) => (await system.find(parent, typed))?.id;
  const wrong: string[] = [];
  if ((await idOf(name)) !== id) wrong.push('is not found by its name');
  const other = [...name].map((letter) => (/[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase())).join('');
  const isPlain = /^[ -~]*$/.test(name) && other !== name;
  if (isPlain && system.names === 'utf16' && (await idOf(other)) !== id) wrong.push('is not found in other letters');
  if ((await idOf(`${name}\u00a7 no such name`)) !== undefined) wrong.push('is found by a name that nothing has');
  return wrong;
}

function differences(node: FileNode, truth: TrueFile, { timeUnit, lastSecond, posix }: CompareOptions): string[] {
  const wrong: string[] = [];
  const expect = (what: string, own: unknown, other: unknown) => {
    if (own !== other) wrong.push(`${what}: ${own}, should be ${other}`);
  };
  expect('type', node.type, truth.type);
  if (truth.type === 'file') expect('size', node.size, truth.size);
  if (truth.type === 'link') expect('target', node.target, truth.target);
  const apart = node.modified === undefined ? undefined : node.modified - truth.modified;
  const isKept = truth.modified / SECOND <= BigInt(lastSecond);
  if (isKept && (posix || truth.type === 'file') && !(apart !== undefined && apart < timeUnit && apart > -timeUnit)) {
    wrong.push(`modified: ${node.modified}, should be ${truth.modified}`);
  }
  if (!posix) return wrong;
  if (truth.type !== 'link') expect('mode', node.mode?.toString(8), truth.mode.toString(8));
  expect('owner', `${node.uid}:${node.gid}`, `${truth.uid}:${truth.gid}`);
  if (truth.type === 'file') expect('links', node.links, truth.links);
  return wrong;
}

/** Reads what holds data, and takes the rest for zeros: so the holes that a reader tells are tried, too. */
async function digestOf(content: FileContent): Promise<string> {
  const digest = createHash('sha256');
  const WINDOW = 4 * 1024 * 1024;
  for (let at = 0; at < content.sizeBytes; at += WINDOW) {
    const window = new Uint8Array(Math.min(WINDOW, content.sizeBytes - at));
    for (const { offset, length } of await content.data({ offset: at, length: window.length })) {
      await content.read(offset, window.subarray(offset - at, offset - at + length));
    }
    digest.update(window);
  }
  return digest.digest('hex');
}
