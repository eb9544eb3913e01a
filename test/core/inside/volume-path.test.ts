import { describe, expect, it } from '@jest/globals';
import { parseVolumePath, volumeAddress } from '../../../src/core/inside/volume-path.ts';

const inImage = (text: string) => parseVolumePath(text, { machine: false });
const inPoint = (text: string) => parseVolumePath(text, { machine: true });

describe('a path behind the colon', () => {
  it('names a place in a volume', () => {
    expect(inImage('/p2/Users/ada')).toEqual({
      ...{ type: 'volume', volume: { type: 'partition', partition: 2 }, names: ['Users', 'ada'], slash: false },
    });
    expect(inPoint('/disk0/p2')).toMatchObject({ volume: { type: 'partition', disk: 0, partition: 2 }, names: [] });
    expect(inPoint('/lv/rhel/root/etc/')).toMatchObject({
      volume: { type: 'logical', group: 'rhel', volume: 'root' },
      names: ['etc'],
      slash: true,
    });
  });

  it('takes slashes that follow each other as one, and dots as names', () => {
    expect(inImage('//p2///a//../.')).toMatchObject({ names: ['a', '..', '.'] });
  });

  it('names several volumes where it stops short of one', () => {
    expect(inImage('/')).toEqual({ type: 'all' });
    expect(inPoint('/disk3/')).toEqual({ type: 'disk', disk: 3 });
    expect(inImage('/lv')).toEqual({ type: 'groups' });
    expect(inImage('/lv/rhel')).toEqual({ type: 'groups', group: 'rhel' });
  });

  it.each(['/x', '/p0', '/p01', '/p123456', '/disk0', '/disk0/p1'])('refuses %s in an image', (text) => {
    expect(() => inImage(text)).toThrow(expect.objectContaining({ code: 'MABS-NAME-UNREADABLE', kind: 'usage' }));
  });

  it.each(['/p1', '/disk0/x', '/disk01/p1', '/diskp1'])('refuses %s in a point', (text) => {
    expect(() => inPoint(text)).toThrow(expect.objectContaining({ code: 'MABS-NAME-UNREADABLE' }));
  });

  it('writes volumes as it reads them', () => {
    for (const text of ['/p2', '/lv/a/b']) {
      const path = inImage(text);
      expect(path.type === 'volume' && volumeAddress(path.volume)).toBe(text);
    }
    expect(volumeAddress({ type: 'partition', disk: 1, partition: 5 })).toBe('/disk1/p5');
  });
});
