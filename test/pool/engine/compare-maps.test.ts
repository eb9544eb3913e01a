import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalizeRanges } from '../../../src/lib/byte-range.ts';
import type { ManifestDisk } from '../../../src/model/manifest.ts';
import { compareMaps } from '../../../src/pool/engine/compare-maps.ts';
import { identifyRange } from '../../../src/pool/engine/identify-range.ts';
import { anEnginePool, type EnginePool } from '../../builders/engine-pool.ts';
import { asManifestDisk, writeContent } from '../../builders/engine-run.ts';

const BLOCK = 4096;

let pool: EnginePool;
beforeAll(async () => {
  pool = await anEnginePool({ blockSize: BLOCK });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

/** A disk of so many bytes with a few blocks that are not zero; `fills`: block to the byte that it is full of. */
function contentOf(sizeBytes: number, fills: ReadonlyMap<number, number>): Uint8Array {
  const content = new Uint8Array(sizeBytes);
  for (const [block, byte] of fills) content.fill(byte, block * BLOCK, Math.min((block + 1) * BLOCK, sizeBytes));
  return content;
}

async function stored(content: Uint8Array): Promise<ManifestDisk> {
  return asManifestDisk(pool, content.length, await writeContent(pool, content));
}

/** More than 256 blocks make two levels of pages. */
const aDisk = fc.record({
  blocks: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 250, max: 600 })),
  cut: fc.constantFrom(0, 0, 512),
  fills: fc.array(fc.tuple(fc.integer({ min: 0, max: 599 }), fc.integer({ min: 0, max: 2 })), { maxLength: 8 }),
});
const makeContent = ({ blocks, cut, fills }: { blocks: number; cut: number; fills: [number, number][] }) =>
  contentOf(blocks * BLOCK - cut, new Map(fills.filter(([block]) => block < blocks)));

describe('two stored disks', () => {
  it('are said to differ exactly where their blocks differ, also when one is larger', () =>
    fc.assert(
      fc.asyncProperty(aDisk, aDisk, async (one, other) => {
        const [before, after] = [makeContent(one), makeContent(other)];
        const found = await compareMaps(pool.blocks, await stored(before), await stored(after));
        expect(found).toEqual(differing(before, after));
      }),
      { numRuns: 15 },
    ));

  it('that are equal are told so without reading a page', async () => {
    const disk = await stored(contentOf(400 * BLOCK, new Map([[3, 1]])));
    let opened = 0;
    const openPorts = async () => {
      const ports = await pool.blocks.openPorts();
      const reader = { ...ports.reader, read: () => Promise.reject(new Error(`read ${++opened}`)) };
      return { ...ports, reader };
    };
    expect(await compareMaps({ ...pool.blocks, openPorts } as never, disk, { ...disk })).toEqual([]);
    expect(opened).toBe(0);
  });

  it('end a comparison when they are told to', async () => {
    const [before, after] = [await stored(contentOf(BLOCK, new Map([[0, 1]]))), await stored(contentOf(BLOCK, new Map([[0, 2]])))];
    await expect(compareMaps(pool.blocks, before, after, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'MABS-INTERRUPTED',
    });
  });
});

describe('the identity of a range', () => {
  it('is equal only where all blocks that it touches are equal, and stays when something else changes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 300, maxLength: 300 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 1 }),
        fc.nat({ max: 299 }),
        fc.tuple(fc.nat({ max: 299 }), fc.integer({ min: 1, max: 300 })),
        async (fills, [byte], changed, [first, count]) => {
          const before = contentOf(300 * BLOCK, new Map(fills.entries()));
          const after = before.slice().fill(byte!, changed * BLOCK, (changed + 1) * BLOCK);
          const offset = first * BLOCK + 100;
          const length = Math.min(count * BLOCK, before.length - offset);
          const identify = async (content: Uint8Array) => identifyRange(pool.blocks, await stored(content), { offset, length });
          const end = Math.ceil((offset + length) / BLOCK) * BLOCK;
          const equal = Buffer.from(before.subarray(first * BLOCK, end)).equals(after.subarray(first * BLOCK, end));
          expect((await identify(before)) === (await identify(after))).toBe(equal);
        },
      ),
      { numRuns: 8 },
    ));
});

function differing(before: Uint8Array, after: Uint8Array) {
  const end = Math.max(before.length, after.length);
  const ranges = [];
  for (let offset = 0; offset < end; offset += BLOCK) {
    const [one, other] = [before, after].map((content) => Buffer.from(content.subarray(offset, offset + BLOCK)));
    const [isZero, otherIsZero] = [one!, other!].map((block) => block.every((byte) => byte === 0));
    if (!(isZero && otherIsZero) && !one!.equals(other!)) ranges.push({ offset, length: Math.min(BLOCK, end - offset) });
  }
  return normalizeRanges(ranges);
}
