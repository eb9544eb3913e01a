import { describe, expect, it } from '@jest/globals';
import { type MachineVolume, placesOf } from '../../../src/core/inside/machine-volumes.ts';

const MIB = 1024 ** 2;

describe('the places of a range', () => {
  it('are asked for in pieces, and cut where the volume ends', () => {
    const asked: number[] = [];
    const place: MachineVolume['place'] = (range) => {
      asked.push(range.length);
      return [{ ...range, disk: 0, position: range.offset + MIB }];
    };
    const volume = { sizeBytes: 200 * MIB, place } as MachineVolume;
    const places = [...placesOf(volume, { offset: MIB, length: 1024 * MIB })];
    expect(Math.max(...asked)).toBeLessThanOrEqual(64 * MIB);
    expect(places[0]).toMatchObject({ offset: MIB, position: 2 * MIB });
    expect(places.reduce((sum, { length }) => sum + length, 0)).toBe(199 * MIB);
  });

  it.each([
    { offset: -1, length: 1 },
    { offset: 0, length: Number.NaN },
    { offset: 2 ** 53, length: 1 },
  ])('%j are none', (range) => {
    expect(() => [...placesOf({ sizeBytes: 1 } as MachineVolume, range)]).toThrow(RangeError);
  });
});
