import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import {
  type DirectoryEntry,
  type FileContent,
  type FileExtras,
  type FileNode,
  type FileSystem,
  type FileSystemInfo,
  FileTypeError,
  FileUnreadableError,
} from '../file-system.ts';
import { ATTRIBUTE, type Attribute } from './attributes.ts';
import { freeRanges, openBitmap } from './cluster-bitmap.ts';
import type { ClusterSource } from './cluster-source.ts';
import { openWofContent } from './compression/wof-content.ts';
import { type DirectoryName, findName, listNames } from './directory.ts';
import { anyNameOf, describeFile, WOF_STREAM } from './file-node.ts';
import { damaged } from './ntfs-damage.ts';
import { findAttribute, loadFile, type NtfsFile, runsOf } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { parseReparsePoint, typeOfTag } from './reparse-point.ts';
import { SecurityDescriptors } from './security-descriptors.ts';
import { openAttribute, residentContent } from './stream-content.ts';
import { StreamMissingError } from './stream-missing-error.ts';
import type { UpCase } from './up-case.ts';

const ROOT_RECORD = 5;
/** Windows bounds a reparse point at 16 KiB. */
const MOST_REPARSE_BYTES = 64 * 1024;

/** NTFS 1.2 to 3.1, as Windows NT 4 and later write it. */
export class NtfsFileSystem implements FileSystem {
  readonly names = 'utf16';
  readonly info: FileSystemInfo;
  readonly #table: RecordReader;
  /** For content, which is read once: past the cache. */
  readonly #content: ClusterSource;
  readonly #upCase: UpCase;
  readonly #security: SecurityDescriptors;

  constructor(info: FileSystemInfo, table: RecordReader, content: ClusterSource, upCase: UpCase) {
    this.info = info;
    this.#table = table;
    this.#content = content;
    this.#upCase = upCase;
    this.#security = new SecurityDescriptors(table);
  }

  async root(): Promise<FileNode> {
    const node = await this.#node(ROOT_RECORD);
    if (node.type !== 'dir') throw damaged('the root is no directory');
    return node;
  }

  async *list(directory: FileNode): AsyncGenerator<DirectoryEntry> {
    for await (const name of listNames(this.#table, await this.#directory(directory))) yield this.#entry(name);
  }

  async find(directory: FileNode, name: string): Promise<FileNode | undefined> {
    const found = await findName(this.#table, await this.#directory(directory), name, this.#upCase);
    return found && (await this.#node(found.record.number, found.record.sequence));
  }

  async open(node: FileNode, stream?: string): Promise<FileContent> {
    const file = await this.#load(node);
    if (stream !== undefined && stream !== '') return await this.#openStream(file, stream);
    if (node.type !== 'file') throw new FileTypeError(`${anyNameOf(file)} is no file`);
    if (node.unreadable !== undefined) throw new FileUnreadableError(anyNameOf(file), node.unreadable);
    const { attribute, algorithm } = await this.#mainContent(file);
    if (!attribute) return residentContent(new Uint8Array(0));
    if (algorithm === undefined) return await openAttribute(this.#table, file, attribute, this.#content);
    const compressed = await openAttribute(this.#table, file, attribute, this.#content);
    return await openWofContent(compressed, node.size, algorithm);
  }

  async extras(node: FileNode): Promise<FileExtras> {
    const file = await this.#load(node);
    const securityDescriptor = await this.#security.of(file);
    const reparsePoint = await this.#reparseBytes(file);
    // What the overlay filter compresses is read as an ordinary file: its reparse point would make nonsense of that one.
    const isKept = reparsePoint && (await this.#mainContent(file)).algorithm === undefined;
    return { ...(securityDescriptor && { securityDescriptor }), ...(isKept && { reparsePoint: reparsePoint.slice() }) };
  }

  async allocation(node: FileNode): Promise<ByteRange[]> {
    const file = await this.#load(node);
    const { attribute } = await this.#mainContent(file);
    if (!attribute || attribute.value !== undefined) return [];
    const runs = await runsOf(this.#table, file, attribute);
    const { clusterSize } = this.#table.geometry;
    const ranges: ByteRange[] = [];
    for (const { lcn, clusters } of runs.within(0, runs.clusters)) {
      if (lcn !== undefined) ranges.push({ offset: lcn * clusterSize, length: clusters * clusterSize });
    }
    return normalizeRanges(ranges);
  }

  async *free(): AsyncGenerator<ByteRange> {
    const { clusters, clusterSize } = this.#table.geometry;
    yield* freeRanges(await openBitmap(this.#table), clusters, clusterSize);
  }

  #entry({ name, record, isDirectory, reparseTag }: DirectoryName): DirectoryEntry {
    const type = reparseTag === undefined ? (isDirectory ? 'dir' : 'file') : typeOfTag(reparseTag, isDirectory);
    return { name, type, node: () => this.#node(record.number, record.sequence) };
  }

  async #node(number: number, sequence = 0): Promise<FileNode> {
    const file = await loadFile(this.#table, number, sequence);
    return describeFile(file, await this.#reparseBytes(file));
  }

  #load(node: FileNode): Promise<NtfsFile> {
    return loadFile(this.#table, Number(node.id));
  }

  async #directory(node: FileNode): Promise<NtfsFile> {
    const file = await this.#load(node);
    if (node.type !== 'dir') throw new FileTypeError(`${anyNameOf(file)} is no directory`);
    return file;
  }

  async #reparseBytes(file: NtfsFile): Promise<Uint8Array | undefined> {
    const attribute = findAttribute(file, ATTRIBUTE.reparsePoint);
    if (!attribute || attribute.value !== undefined) return attribute?.value;
    const content = await openAttribute(this.#table, file, attribute);
    if (content.sizeBytes > MOST_REPARSE_BYTES) throw damaged(`a reparse point of ${content.sizeBytes} bytes`);
    const bytes = new Uint8Array(content.sizeBytes);
    await content.read(0, bytes);
    return bytes;
  }

  /** What holds the content: the stream without a name, or that of the overlay filter, then with its algorithm. */
  async #mainContent(file: NtfsFile): Promise<{ attribute?: Attribute | undefined; algorithm?: 0 | 1 | 2 | 3 }> {
    const bytes = await this.#reparseBytes(file);
    const reparse = bytes && parseReparsePoint(bytes);
    const compressed = findAttribute(file, ATTRIBUTE.data, WOF_STREAM);
    if (reparse?.kind === 'wof' && compressed) return { attribute: compressed, algorithm: reparse.algorithm };
    return { attribute: findAttribute(file, ATTRIBUTE.data) };
  }

  async #openStream(file: NtfsFile, wanted: string): Promise<FileContent> {
    const streams = file.attributes.filter(({ type, name }) => type === ATTRIBUTE.data && name !== '');
    await this.#upCase.prepare([wanted, ...streams.map(({ name }) => name)]);
    const exact = streams.find(({ name }) => name === wanted);
    const stream = exact ?? streams.find(({ name }) => this.#upCase.compare(name, wanted) === 0);
    if (!stream) throw new StreamMissingError(anyNameOf(file), wanted);
    if (stream.encrypted) throw new FileUnreadableError(`${anyNameOf(file)}:${stream.name}`, 'it is encrypted by EFS');
    return await openAttribute(this.#table, file, stream, this.#content);
  }
}
