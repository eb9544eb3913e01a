import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openImage } from '../../../src/disks/vhdx/vhdx-chain.ts';
import { VhdxDisk } from '../../../src/disks/vhdx/vhdx-disk.ts';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { readImage } from '../../../src/disks/vhdx/vhdx-image.ts';
import { WritableVhdx } from '../../../src/disks/vhdx/writable-vhdx.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { recordingFile } from '../../builders/recording-file.ts';

const MIB = 1024 * 1024;
const SIZE = 3 * MIB;
const folder = mkdtempSync(join(tmpdir(), 'mabs-power-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Step {
  readonly sector: number;
  readonly count: number;
  readonly flush: boolean;
}

const aStep: fc.Arbitrary<Step> = fc.record({
  sector: fc.nat(SIZE / 512 - 1),
  count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3000 })),
  flush: fc.boolean(),
});

/** Every sector is filled with the number of the step that wrote it; for each sector, what it may hold after a power cut. */
interface History {
  /** Index of the first operation at which the sectors below are what they may be. */
  readonly from: number;
  readonly flushed: Uint8Array;
  /** Steps not yet flushed, and their numbers. */
  readonly later: readonly { readonly step: Step; readonly number: number }[];
}

describe.each(['dynamic', 'differencing'] as const)('a power cut while a %s VHDX is written', (subformat) => {
  it('loses nothing that was flushed, mixes nothing up and leaves an image that opens', async () => {
    const parentPath = join(folder, `${subformat}-parent.vhdx`);
    const path = join(folder, `${subformat}.vhdx`);
    {
      await using parent = await vhdxFormat.create(parentPath, { subformat: 'dynamic', sizeBytes: SIZE, blockSize: MIB });
      await parent.write(0, new Uint8Array(SIZE).fill(0xee));
      const options = subformat === 'dynamic' ? { subformat, sizeBytes: SIZE } : { subformat, sizeBytes: SIZE, parent: parentPath };
      await using _ = await vhdxFormat.create(path, { ...options, blockSize: MIB });
    }
    const initial = new Uint8Array(await readFile(path));
    await using parent = await openImage(parentPath);
    const below = subformat === 'dynamic' ? [] : [parent];
    const before = new Uint8Array(SIZE / 512).fill(subformat === 'dynamic' ? 0 : 0xee);
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat(999)), async (steps, chance) => {
        const file = recordingFile(path, initial);
        const disk = new WritableVhdx(file, [await readImage(path, file), ...below]);
        const history: History[] = [{ from: 0, flushed: before, later: [] }];
        for (const [index, step] of steps.entries()) {
          const last = history.at(-1)!;
          const number = index + 1;
          const count = Math.min(step.count, SIZE / 512 - step.sector);
          history.push({
            from: file.operations.length,
            flushed: last.flushed,
            later: [...last.later, { step: { ...step, count }, number }],
          });
          await disk.write(step.sector * 512, new Uint8Array(count * 512).fill(number));
          if (!step.flush) continue;
          await disk.flush();
          history.push({ from: file.operations.length, flushed: withSteps(history.at(-1)!), later: [] });
        }
        const next = () => chance.next().value as number;
        for (let cut = 0; cut <= file.operations.length; cut += 1 + (next() % 3)) {
          const medium = file.afterPowerCut(cut, () => (['all', 'nothing', 'torn'] as const)[next() % 3]!);
          const content = new Uint8Array(SIZE);
          await new VhdxDisk([await readImage(path, memorySource(medium)), ...below]).read(0, content);
          expectPossible(content, history.findLast(({ from }) => from <= cut)!);
        }
      }),
      { numRuns: 5 },
    );
  });
});

function withSteps({ flushed, later }: History): Uint8Array {
  const sectors = flushed.slice();
  for (const { step, number } of later) sectors.fill(number, step.sector, step.sector + step.count);
  return sectors;
}

/** Each sector holds what was flushed, or what a later step wrote there. */
function expectPossible(content: Uint8Array, { flushed, later }: History): void {
  for (let sector = 0; sector < flushed.length; sector++) {
    const value = content[sector * 512]!;
    const possible =
      value === flushed[sector] ||
      later.some(({ step, number }) => number === value && sector >= step.sector && sector < step.sector + step.count);
    if (!possible || content[sector * 512 + 511] !== value)
      throw new Error(`sector ${sector} holds ${value}, flushed was ${flushed[sector]}`);
  }
  expect(content.length).toBe(SIZE);
}
