import type { ByteRange } from '../../lib/byte-range.ts';
import type { FileContent } from '../file-system.ts';
import { ATTRIBUTE } from './attributes.ts';
import { damaged } from './ntfs-damage.ts';
import { findAttribute, loadFile } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { openAttribute } from './stream-content.ts';

const BITMAP_RECORD = 6;
const WINDOW_BYTES = 64 * 1024;

/** The map of the volume's clusters: a bit each, set where it belongs to a file. */
export async function openBitmap(table: RecordReader): Promise<FileContent> {
  const file = await loadFile(table, BITMAP_RECORD);
  const attribute = findAttribute(file, ATTRIBUTE.data);
  if (!attribute) throw damaged('$Bitmap has no content');
  return await openAttribute(table, file, attribute);
}

/** The clusters that $Bitmap gives to nobody, as ranges of the volume: ascending and apart. Reads it in windows. */
export async function* freeRanges(bitmap: FileContent, clusters: number, clusterSize: number): AsyncGenerator<ByteRange> {
  const size = Math.ceil(clusters / 8);
  if (bitmap.sizeBytes < size) throw damaged(`$Bitmap has ${bitmap.sizeBytes} bytes for ${clusters} clusters`);
  const range = (start: number, end: number): ByteRange => ({ offset: start * clusterSize, length: (end - start) * clusterSize });
  let start: number | undefined;
  const window = new Uint8Array(Math.min(WINDOW_BYTES, size));
  for (let offset = 0; offset < size; offset += window.length) {
    const bytes = window.subarray(0, Math.min(window.length, size - offset));
    await bitmap.read(offset, bytes);
    for (let index = 0; index < bytes.length; index += 1) {
      const byte = bytes[index]!;
      // Whole bytes of what went on so far: most of a volume.
      if (byte === (start === undefined ? 0xff : 0)) continue;
      for (let bit = 0; bit < 8; bit += 1) {
        const cluster = (offset + index) * 8 + bit;
        if (cluster >= clusters) break;
        const isFree = (byte & (1 << bit)) === 0;
        if (isFree) start ??= cluster;
        else if (start !== undefined) {
          yield range(start, cluster);
          start = undefined;
        }
      }
    }
  }
  if (start !== undefined) yield range(start, clusters);
}
