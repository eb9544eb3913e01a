import type { Volume } from './volume.ts';

const PAGE_BYTES = 16 * 1024;
const PAGES = 512;
/** Reads from this size on go past the cache: they are content, which is read once. */
const LARGE_BYTES = 128 * 1024;

/**
 * A volume whose small reads are kept: readers of file systems look at one structure at a time, many of them neighbours. Holds at most
 * 8 MiB. A page that could not be read is asked for again.
 */
export function cachedVolume(volume: Volume): Volume {
  const pages = new Map<number, Promise<Uint8Array>>();

  const fetchPage = async (number: number): Promise<Uint8Array> => {
    const offset = number * PAGE_BYTES;
    const page = new Uint8Array(Math.min(PAGE_BYTES, volume.sizeBytes - offset));
    await volume.read(offset, page);
    return page;
  };
  const page = (number: number): Promise<Uint8Array> => {
    const kept = pages.get(number);
    const found = kept ?? fetchPage(number);
    pages.delete(number);
    pages.set(number, found);
    if (!kept) {
      found.catch(() => pages.delete(number));
      if (pages.size > PAGES) pages.delete(pages.keys().next().value!);
    }
    return found;
  };

  return {
    sizeBytes: volume.sizeBytes,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= volume.sizeBytes - offset;
      if (!inside || into.length >= LARGE_BYTES) return await volume.read(offset, into);
      for (let done = 0; done < into.length; ) {
        const number = Math.floor((offset + done) / PAGE_BYTES);
        const from = offset + done - number * PAGE_BYTES;
        const piece = (await page(number)).subarray(from, from + into.length - done);
        into.set(piece, done);
        done += piece.length;
      }
    },
  };
}
