import { normalizeRanges } from '../../../lib/byte-range.ts';
import { ReadPastEndError } from '../../../lib/byte-source.ts';
import { type FileContent, FileSystemDamagedError } from '../../file-system.ts';
import { decompressLzx } from './lzx.ts';
import { decompressXpressHuffman } from './xpress-huffman.ts';

/** `Algorithm` of FILE_PROVIDER_EXTERNAL_INFO_V1: XPRESS in chunks of 4 KiB, LZX in chunks of 32 KiB, XPRESS of 8 KiB, XPRESS of 16 KiB. */
export type WofAlgorithm = 0 | 1 | 2 | 3;

const CHUNK_BYTES = [4096, 32_768, 8192, 16_384] as const;
/** Chunks that are read at once, and decompressed ones that are kept: a few hundred KiB each. */
const CHUNKS_AT_ONCE = 16;
const CHUNKS_KEPT = 4;
const FOUR_GIB = 2 ** 32;

/**
 * A file that Windows keeps compressed for reading (WOF, `compact /exe`), over its stream WofCompressedData: a table of where each chunk
 * but the first begins, counted from the table's end, then the chunks, those stored as they are that would not have become smaller.
 * Entries have 8 bytes in files of 4 GiB and more, else 4. `sizeBytes`: the size of the decompressed file. Rejects with kind `damaged`
 * where the table cannot be.
 */
export async function openWofContent(compressed: FileContent, sizeBytes: number, algorithm: WofAlgorithm): Promise<FileContent> {
  const chunkBytes = CHUNK_BYTES[algorithm];
  const chunks = Math.ceil(sizeBytes / chunkBytes);
  const entryBytes = sizeBytes >= FOUR_GIB ? 8 : 4;
  const tableBytes = Math.max(0, chunks - 1) * entryBytes;
  if (tableBytes > compressed.sizeBytes) throw damaged('its table of chunks is longer than the whole');
  const decompress = algorithm === 1 ? decompressLzx : decompressXpressHuffman;
  const kept = new Map<number, Uint8Array>();

  /** Where the chunks from `first` on begin, and where the last of them ends: positions in the compressed stream. */
  const positions = async (first: number, count: number): Promise<number[]> => {
    const from = Math.max(first, 1);
    const to = Math.min(first + count, chunks - 1);
    const table = new Uint8Array(Math.max(0, to - from + 1) * entryBytes);
    await compressed.read((from - 1) * entryBytes, table);
    const view = new DataView(table.buffer);
    const offsets = first === 0 ? [0] : [];
    for (let at = 0; at < table.length; at += entryBytes) {
      offsets.push(entryBytes === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
    }
    const found = offsets.map((offset) => tableBytes + offset);
    if (first + count === chunks) found.push(compressed.sizeBytes);
    return found;
  };

  const lengthOf = (chunk: number) => Math.min(chunkBytes, sizeBytes - chunk * chunkBytes);

  const expand = (chunk: number, stored: Uint8Array, into: Uint8Array): void => {
    if (stored.length === into.length) into.set(stored);
    else
      try {
        decompress(stored, into);
      } catch (error) {
        throw damaged(`chunk ${chunk} cannot be decompressed`, { cause: error });
      }
  };

  /** Decompresses chunks that lie side by side, straight to where they are wanted if they are wanted whole. */
  const readChunks = async (first: number, count: number, offset: number, into: Uint8Array): Promise<void> => {
    const at = await positions(first, count);
    for (let index = 0; index < count; index++) {
      const length = at[index + 1]! - at[index]!;
      if (!(length > 0 && length <= lengthOf(first + index))) throw damaged(`chunk ${first + index} has ${length} bytes`);
    }
    if (at[count]! > compressed.sizeBytes) throw damaged(`chunk ${first + count - 1} ends past the whole`);
    const stored = new Uint8Array(at[count]! - at[0]!);
    await compressed.read(at[0]!, stored);
    for (let index = 0; index < count; index++) {
      const chunk = first + index;
      const piece = stored.subarray(at[index]! - at[0]!, at[index + 1]! - at[0]!);
      const start = chunk * chunkBytes - offset;
      const length = lengthOf(chunk);
      if (start >= 0 && start + length <= into.length) {
        expand(chunk, piece, into.subarray(start, start + length));
        continue;
      }
      const whole = new Uint8Array(length);
      expand(chunk, piece, whole);
      copyOverlap(whole, start, into);
      kept.set(chunk, whole);
      if (kept.size > CHUNKS_KEPT) kept.delete(kept.keys().next().value!);
    }
  };

  return {
    sizeBytes,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= sizeBytes - offset;
      if (!inside) throw new ReadPastEndError('the file', offset, into.length, sizeBytes);
      const end = Math.ceil((offset + into.length) / chunkBytes);
      for (let chunk = into.length === 0 ? end : Math.floor(offset / chunkBytes); chunk < end; ) {
        const whole = kept.get(chunk);
        if (whole) {
          copyOverlap(whole, chunk * chunkBytes - offset, into);
          chunk += 1;
          continue;
        }
        let count = 1;
        while (count < CHUNKS_AT_ONCE && chunk + count < end && !kept.has(chunk + count)) count += 1;
        await readChunks(chunk, count, offset, into);
        chunk += count;
      }
    },
    async data(range) {
      const length = Math.min(range.length, sizeBytes - range.offset);
      return normalizeRanges([{ offset: range.offset, length }]);
    },
  };
}

/** Copies of `chunk`, which begins at `start` of `into` (or before it), what lies within `into`. */
function copyOverlap(chunk: Uint8Array, start: number, into: Uint8Array): void {
  into.set(chunk.subarray(Math.max(0, -start), into.length - start), Math.max(0, start));
}

const damaged = (what: string, options?: ErrorOptions) =>
  new FileSystemDamagedError('ntfs', `a file compressed for reading: ${what}`, options);
