import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ClusterHeap, ClusterRuns, clusterContent, clusterRanges } from '../../src/filesystems/cluster-runs.ts';

/** A volume of which each byte tells where it lies. */
const volume = {
  sizeBytes: 2 ** 43,
  async read(offset: number, into: Uint8Array) {
    for (let at = 0; at < into.length; at++) into[at] = byteAt(offset + at);
  },
};
const byteAt = (position: number) => Math.floor(position / 4096) * 7 + position;
const heapOf = (clusterSize: number): ClusterHeap => ({ position: 12_345, clusterSize, clusterCount: 100_000 });

describe('the content of clusters', () => {
  it('is read across pieces as cluster by cluster, and as zero from where it was never written', async () => {
    const clusters = fc.array(fc.tuple(fc.integer({ min: 2, max: 90_000 }), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(clusters, fc.nat(99), fc.nat(99), fc.nat(99), async (pieces, valid, from, length) => {
        const heap = heapOf(16);
        const runs = new ClusterRuns();
        for (const [first, count] of pieces) runs.append(first, count);
        const list = pieces.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));
        expect(runs.total).toBe(list.length);
        const sizeBytes = list.length * 16 - 3;
        const validBytes = Math.floor((sizeBytes * valid) / 99);
        const whole = Uint8Array.from({ length: sizeBytes }, (_, at) =>
          at < validBytes ? byteAt(12_345 + (list[at >> 4]! - 2) * 16 + (at & 15)) : 0,
        );
        const offset = Math.floor((sizeBytes * from) / 100);
        const into = new Uint8Array(Math.floor(((sizeBytes - offset) * length) / 99)).fill(0xee);
        await clusterContent(volume, heap, { runs, sizeBytes, validBytes }).read(offset, into);
        expect(into).toEqual(whole.subarray(offset, offset + into.length));
      }),
    );
  });

  it('may be larger than 4 GiB', async () => {
    const heap = heapOf(2 ** 25);
    const runs = new ClusterRuns();
    runs.append(1000, 200);
    runs.append(5, 200);
    const content = clusterContent(volume, heap, { runs, sizeBytes: 400 * 2 ** 25 });
    const into = new Uint8Array(100);
    await content.read(200 * 2 ** 25 - 50, into);
    const before = 12_345 + (1000 - 2 + 200) * 2 ** 25 - 50;
    const after = 12_345 + 3 * 2 ** 25 - 50;
    expect(into).toEqual(Uint8Array.from({ length: 100 }, (_, at) => byteAt((at < 50 ? before : after) + at)));
    expect(clusterRanges(heap, runs)).toEqual([
      { offset: 12_345 + 3 * 2 ** 25, length: 200 * 2 ** 25 },
      { offset: 12_345 + 998 * 2 ** 25, length: 200 * 2 ** 25 },
    ]);
  });
});
