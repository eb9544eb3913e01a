import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { checkImages, type ImageResult } from '../../scripts/images/check-images.ts';
import { plainLabel } from '../../scripts/images/image-truth.ts';

/** Real images with ground truth are no part of the project: a folder of them is named by MABS_IMAGES, or lies beside the checkout. */
const beside = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'shared', 'images');
const folder = process.env.MABS_IMAGES ?? beside;
const onImages = existsSync(join(folder, 'truth')) ? it : it.skip;
const MAX_BYTES = 40 * 1024 * 1024;

describe('real images', () => {
  onImages('up to 40 MiB read as independent tools say', async () => {
    const failed: ImageResult[] = [];
    let passed = 0;
    for await (const result of checkImages(folder, { maxBytes: MAX_BYTES })) {
      if (result.problems.length > 0) failed.push(result);
      else passed++;
    }
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(0);
  });

  it.each([
    { printed: 'Test\\ Volume', label: 'Test Volume' },
    { printed: 'M-PM-^]M-PM-\\>', label: 'Но' },
    { printed: 'BINGO', label: 'BINGO' },
  ])('have labels that are printed as $printed', ({ printed, label }) => expect(plainLabel(printed)).toBe(label));
});
