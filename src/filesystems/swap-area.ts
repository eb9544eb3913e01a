import { struct, u32le } from '../lib/struct.ts';
import { SWAP_PAGE_SIZES } from './detect-swap.ts';
import { hasText, readInside } from './probe.ts';
import type { Volume } from './volume.ts';

/** Where Linux swaps to. */
export interface SwapArea {
  /** Bytes of its first page, which holds signature, UUID and label. */
  readonly pageBytes: number;
  /** Bytes from the volume's start that belong to it: whole pages, at most the volume. */
  readonly sizeBytes: number;
}

/** Linux, include/linux/swap.h, `union swap_header`. */
const HEADER = struct(12, { version: u32le(0), lastPage: u32le(4), badPages: u32le(8) });
const HEADER_AT = 1024;
const SIGNATURE = 'SWAPSPACE2';

/**
 * The swap area on a volume that `detectFileSystem` calls swap, so that nothing else was made over it; or in words why it cannot be relied
 * on that all its pages are swap.
 */
export async function readSwapArea(volume: Volume): Promise<SwapArea | string> {
  const pageBytes = await signedPage(volume);
  if (pageBytes === undefined) return 'its swap signature is of a kind that Linux no longer uses';
  const header = await readInside(volume, HEADER_AT, HEADER.size);
  const { version, lastPage } = HEADER.read(header!);
  if (version !== 1) return `its swap header has the version ${version}`;
  const sizeBytes = (lastPage + 1) * pageBytes;
  if (lastPage === 0 || sizeBytes > volume.sizeBytes) return 'its swap header does not fit the volume';
  return { pageBytes, sizeBytes };
}

/** The signature ends the first page, whatever the page size of the machine is. */
async function signedPage(volume: Volume): Promise<number | undefined> {
  for (const size of SWAP_PAGE_SIZES) {
    const end = await readInside(volume, size - SIGNATURE.length, SIGNATURE.length);
    if (end && hasText(end, 0, SIGNATURE)) return size;
  }
  return undefined;
}
