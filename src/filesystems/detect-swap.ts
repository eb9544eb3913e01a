import { hasText, labelText, readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

/** Sizes of a page on the machines that Linux runs on. */
export const SWAP_PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536];

/** Linux swap, whose signature ends its first page, and what a hibernated system leaves in its place. */
export async function detectSwap(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const page of SWAP_PAGE_SIZES) {
    const end = await readInside(volume, page - 10, 10);
    if (end && hasText(end, 0, 'SWAPSPACE2')) {
      const field = await readInside(volume, 1024 + 28, 16);
      return withLabel('swap', field && labelText(field));
    }
    if (end && hasText(end, 0, 'SWAP-SPACE')) return { name: 'swap' };
    if (end && hasText(end, 0, 'S1SUSPEND')) return { name: 'swsuspend' };
  }
  return undefined;
}
