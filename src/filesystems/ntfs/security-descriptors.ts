import { ATTRIBUTE } from './attributes.ts';
import type { IndexEntry } from './index-node.ts';
import { IndexTree } from './index-tree.ts';
import { damaged, fits, sizeAt } from './ntfs-damage.ts';
import { findAttribute, loadFile, type NtfsFile } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { openAttribute } from './stream-content.ts';

const SECURE_RECORD = 9;
const BY_ID = '$SII';
const DESCRIPTORS = '$SDS';
const HEADER_BYTES = 20;
/** Windows bounds access control lists at 64 KiB each. */
const MOST_BYTES = 256 * 1024;
const RECENT = 16;

/** The security descriptors of a volume. Files share few: those met last are kept. */
export class SecurityDescriptors {
  readonly #table: RecordReader;
  readonly #recent = new Map<number, Promise<Uint8Array | undefined>>();

  constructor(table: RecordReader) {
    this.#table = table;
  }

  /** The descriptor of a file: its own, or by its number in $Secure (libfsntfs, 13 Security descriptors); `undefined` where it has none. */
  async of(file: NtfsFile): Promise<Uint8Array | undefined> {
    const own = findAttribute(file, ATTRIBUTE.securityDescriptor);
    if (own) {
      const content = await openAttribute(this.#table, file, own);
      return await readBytes(content, 0, content.sizeBytes);
    }
    const id = securityId(file);
    return id === 0 ? undefined : (await this.#byId(id))?.slice();
  }

  #byId(id: number): Promise<Uint8Array | undefined> {
    const kept = this.#recent.get(id);
    if (kept) return kept;
    const found = readById(this.#table, id);
    this.#recent.set(id, found);
    found.catch(() => this.#recent.delete(id));
    if (this.#recent.size > RECENT) this.#recent.delete(this.#recent.keys().next().value!);
    return found;
  }
}

/** Stands in the longer form of the standard information, of NTFS 3.0 and later. */
function securityId(file: NtfsFile): number {
  const value = findAttribute(file, ATTRIBUTE.standardInformation)?.value;
  return value && value.length >= 56 ? new DataView(value.buffer, value.byteOffset, value.length).getUint32(52, true) : 0;
}

async function readById(table: RecordReader, id: number): Promise<Uint8Array | undefined> {
  const secure = await loadFile(table, SECURE_RECORD);
  const tree = await IndexTree.open(table, secure, BY_ID);
  const order = ({ key }: IndexEntry): number =>
    id - (key!.length >= 4 ? new DataView(key!.buffer, key!.byteOffset, 4).getUint32(0, true) : 0);
  const entry = await tree.search(
    (candidate) => ({ before: order(candidate) <= 0, after: order(candidate) >= 0 }),
    () => true,
  );
  const attribute = findAttribute(secure, ATTRIBUTE.data, DESCRIPTORS);
  if (!entry || !attribute) return undefined;
  const { offset, length } = placeOf(entry);
  const stored = await readBytes(await openAttribute(table, secure, attribute), offset, length);
  if (new DataView(stored.buffer).getUint32(4, true) !== id) throw damaged(`the security descriptor ${id} is not where its index says`);
  return stored.subarray(HEADER_BYTES);
}

/** The data of an index entry: hash, id, then offset and length of what is stored. */
function placeOf({ bytes }: IndexEntry): { readonly offset: number; readonly length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = view.getUint16(0, true);
  if (!fits(at, HEADER_BYTES, bytes.length)) throw damaged('an entry of $SII is cut off');
  const length = view.getUint32(at + 16, true);
  if (length < HEADER_BYTES) throw damaged('an entry of $SII names no descriptor');
  return { offset: sizeAt(view, at + 8, 'the place of a security descriptor'), length };
}

async function readBytes(content: Awaited<ReturnType<typeof openAttribute>>, offset: number, length: number): Promise<Uint8Array> {
  if (length > MOST_BYTES || !fits(offset, length, content.sizeBytes)) throw damaged(`a security descriptor of ${length} bytes`);
  const bytes = new Uint8Array(length);
  await content.read(offset, bytes);
  return bytes;
}
