import { DIGEST_BYTES } from '../block.ts';
import { MAP_FAN_OUT, MAP_PAGE_BYTES } from './map-geometry.ts';

/** The digest that stands for a zero block, and for a page all of whose digests are zero; neither is ever stored. */
export const ZERO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES);

const zeroPage = Buffer.alloc(MAP_PAGE_BYTES);

export function isZeroDigest(digest: Uint8Array): boolean {
  return digest[0] === 0 && zeroPage.subarray(0, DIGEST_BYTES).equals(digest);
}

/** The digest at a place of a full page; a view, not a copy. */
export function digestAt(page: Uint8Array, index: number): Uint8Array {
  return page.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

export function isZeroPage(page: Uint8Array): boolean {
  return zeroPage.subarray(0, page.length).equals(page);
}

/** A page as it is stored: without the zero digests at its end. A map is the same however much room its last pages have. */
export function trimPage(page: Uint8Array): Uint8Array {
  let count = page.length / DIGEST_BYTES;
  while (count > 0 && isZeroDigest(digestAt(page, count - 1))) count -= 1;
  return page.subarray(0, count * DIGEST_BYTES);
}

/** A full page of a stored one, a copy; undefined when the stored bytes are no page. */
export function expandPage(stored: Uint8Array): Uint8Array | undefined {
  if (stored.length === 0 || stored.length > MAP_PAGE_BYTES || stored.length % DIGEST_BYTES !== 0) return undefined;
  const page = new Uint8Array(MAP_PAGE_BYTES);
  page.set(stored);
  return page;
}

/** Zeroes the digests from `count` on: what a disk that became smaller no longer has. */
export function cutPage(page: Uint8Array, count: number): void {
  if (count < MAP_FAN_OUT) page.fill(0, Math.max(0, count) * DIGEST_BYTES);
}
