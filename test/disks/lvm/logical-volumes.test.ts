import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogicalVolume, PhysicalVolume } from '../../../src/disks/disk-format.ts';
import { readLogicalVolumes } from '../../../src/disks/lvm/logical-volumes.ts';
import { MabsError } from '../../../src/lib/errors.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';
import {
  aGroupText,
  aLogicalText,
  aPhysicalVolume,
  asMember,
  EXTENT,
  EXTENTS_AT,
  type GroupOptions,
  striped,
} from '../../builders/lvm-disk.ts';

const TRUTH = new URL('../../fixtures/filesystems/lvm.json', import.meta.url);

/** What a group says whose first volume lies alone and whose second one keeps no description. */
async function volumesOf(group: GroupOptions, members = group.physical): Promise<LogicalVolume[]> {
  const text = aGroupText(group);
  return await readLogicalVolumes(members.map((id, index) => asMember(aPhysicalVolume({ id, ...(index === 0 && { text }) }))));
}

async function contentOf(volume: LogicalVolume, members: readonly PhysicalVolume[]): Promise<Buffer> {
  const content = Buffer.alloc(volume.sizeBytes);
  for (const { offset, length, member, position } of volume.place({ offset: 0, length: volume.sizeBytes })) {
    await members[member]!.read(position, content.subarray(offset, offset + length));
  }
  return content;
}

describe('a group that LVM made', () => {
  it.each([
    { what: 'as it is', order: [0, 1, 2] },
    { what: 'with its disks in another order', order: [2, 0, 1] },
  ])('is read $what: linear, striped, in several segments', async ({ order }) => {
    const members = await Promise.all(order.map((index) => fixtureVolume(`lvm-${index}`)));
    const { group, volumes } = JSON.parse(await readFile(TRUTH, 'utf8'));
    const found = await readLogicalVolumes(members);
    expect(found.map((volume) => [volume.group, volume.name]).sort()).toEqual(Object.keys(volumes).map((name) => [group, name]));
    for (const volume of found) {
      const sha256 = createHash('sha256')
        .update(await contentOf(volume, members))
        .digest('hex');
      expect({ name: volume.name, sizeBytes: volume.sizeBytes, sha256 }).toEqual({ name: volume.name, ...volumes[volume.name] });
    }
  });

  it('names what is missing, and reads what does not lie on it', async () => {
    const found = await readLogicalVolumes([await fixtureVolume('lvm-0'), await fixtureVolume('lvm-2')]);
    expect(Object.fromEntries(found.map(({ name, unreadable }) => [name, unreadable]))).toEqual({
      linear: expect.stringMatching(/^physical volume pv1 \(\w{6}(-\w{4}){5}-\w{6}, once \/dev\/loop\d+\) is missing$/),
      striped: expect.stringMatching(/^physical volume pv1 /),
      two_stripes: undefined,
    });
  });
});

describe('a range of a logical volume', () => {
  const logical = [
    aLogicalText('lv', [
      [2, striped([['pv0', 4]])],
      [
        6,
        striped(
          [
            ['pv0', 8],
            ['pv1', 1],
          ],
          4,
        ),
      ],
      [1, striped([['pv1', 20]])],
    ]),
  ];
  const group = { physical: ['one', 'two'], logical };

  it('lies where its segments and stripes say', async () => {
    const [volume] = await volumesOf(group);
    const from = 2 * EXTENT;
    expect(volume!.place({ offset: from - 10, length: 10 + 2048 + 2048 + 100 })).toEqual([
      { offset: from - 10, length: 10, member: 0, position: EXTENTS_AT + 6 * EXTENT - 10 },
      { offset: from, length: 2048, member: 0, position: EXTENTS_AT + 8 * EXTENT },
      { offset: from + 2048, length: 2048, member: 1, position: EXTENTS_AT + EXTENT },
      { offset: from + 4096, length: 100, member: 0, position: EXTENTS_AT + 8 * EXTENT + 2048 },
    ]);
    expect(volume!.place({ offset: 9 * EXTENT, length: 0 })).toEqual([]);
  });

  it('is covered exactly, wherever it is', async () => {
    const [volume] = await volumesOf(group);
    const { sizeBytes } = volume!;
    fc.assert(
      fc.property(fc.nat(sizeBytes), fc.nat(sizeBytes), (one, other) => {
        const [offset, end] = [Math.min(one, other), Math.max(one, other)];
        let at = offset;
        for (const place of volume!.place({ offset, length: end - offset })) {
          expect(place.offset).toBe(at);
          at += place.length;
        }
        expect(at).toBe(end);
      }),
    );
    expect(() => volume!.place({ offset: sizeBytes, length: 1 })).toThrow(expect.objectContaining({ code: 'MABS-DISK-RANGE' }));
  });
});

describe('the description of a group', () => {
  const logical = (name: string) => [aLogicalText(name, [[1, striped([['pv0', 0]])]])];
  const text = (name: string, sequence: number) => aGroupText({ physical: ['one', 'two'], sequence, logical: logical(name) });
  const names = async (...disks: Uint8Array[]) => (await readLogicalVolumes(disks.map(asMember))).map(({ name }) => name);

  it('is the newest of all copies', async () => {
    const old = aPhysicalVolume({ id: 'one', text: text('old', 8) });
    const young = aPhysicalVolume({ id: 'two', text: text('young', 10) });
    expect(await names(old, young)).toEqual(['young']);
    expect(await names(young, old)).toEqual(['young']);
  });

  it('may wrap around the end of its area', async () => {
    expect(await names(aPhysicalVolume({ id: 'one', text: text('wrapped', 1), textAt: 32 * 1024 - 300 }))).toEqual(['wrapped']);
  });

  it.each([0, 1, 2, 3])('is found by a label in sector %i', async (sector) => {
    expect(await names(aPhysicalVolume({ id: 'one', text: text('found', 1), sector }))).toEqual(['found']);
  });

  it.each([
    { what: 'the label', at: 512 + 70 },
    { what: 'the header of the area', at: 4096 + 100 },
    { what: 'the text', at: 4096 + 512 + 200 },
  ])('does not count when $what is damaged', async ({ at }) => {
    const disk = aPhysicalVolume({ id: 'one', text: text('damaged', 9) });
    disk[at]! ^= 1;
    expect(await names(disk)).toEqual([]);
    const intact = aPhysicalVolume({ id: 'two', text: text('intact', 3) });
    expect(await names(disk, intact)).toEqual(['intact']);
  });

  it('is left out when it ends before its end', async () => {
    const whole = aPhysicalVolume({ id: 'one', text: text('cut', 1) });
    for (const length of [0, 100, 600, 4096, 4700, 20_000]) expect(await names(whole.subarray(0, length))).toEqual([]);
  });

  it.each(['-vg', '..', 'a/b', 'a b', '', 'x'.repeat(128)])('with the name %j is nothing that LVM made', async (name) => {
    const group = aGroupText({ name: name === '' ? '""' : name, physical: ['one'], logical: logical('lv') });
    expect(await names(aPhysicalVolume({ id: 'one', text: group }))).toEqual([]);
  });
});

describe('a logical volume', () => {
  const on = (text: string) => ({ physical: ['one'], logical: [aLogicalText('lv', [[1, text]])] });

  it.each(['raid1', 'raid5_ls', 'mirror', 'thin', 'thin-pool', 'cache', 'cache-pool', 'vdo', 'writecache', 'error', 'zero', 'striped+NEW'])(
    'of type %s is listed, and says why it cannot be read',
    async (type) => {
      const [volume] = await volumesOf(on(`type = "${type}"`));
      expect(volume).toMatchObject({
        name: 'lv',
        sizeBytes: EXTENT,
        unreadable: `its layout is “${type}”; linear and striped are read`,
      });
      expect(() => volume!.place({ offset: 0, length: 1 })).toThrow(expect.objectContaining({ code: 'MABS-LVM-UNREADABLE' }));
    },
  );

  it('that is a part of another is hidden', async () => {
    const hidden = aLogicalText('lv_rimage_0', [[1, striped([['pv0', 0]])]], '"READ", "WRITE"');
    expect(await volumesOf({ physical: ['one'], logical: [hidden] })).toEqual([]);
  });

  it('of which snapshots were taken is read; they are not', async () => {
    const snapshot = 'type = "snapshot"\nchunk_size = 8\norigin = "root"\ncow_store = "snap"';
    const logical = [
      aLogicalText('root', [[2, striped([['pv0', 0]])]]),
      aLogicalText('snap', [[1, striped([['pv0', 2]])]]),
      aLogicalText('snapshot0', [[2, snapshot]], '"READ", "WRITE"'),
    ];
    const found = await volumesOf({ physical: ['one'], logical });
    expect(found.map(({ name, unreadable }) => [name, unreadable])).toEqual([
      ['root', undefined],
      ['snap', 'it is a snapshot, of which only the differences from its origin are kept'],
    ]);
  });

  it('that a snapshot is being merged into is not read', async () => {
    const snapshot = 'type = "snapshot"\nchunk_size = 8\norigin = "root"\nmerging_store = "snap"';
    const logical = [aLogicalText('root', [[2, striped([['pv0', 0]])]]), aLogicalText('snapshot0', [[2, snapshot]], '"READ", "WRITE"')];
    expect((await volumesOf({ physical: ['one'], logical }))[0]!.unreadable).toBe('a snapshot is being merged into it');
  });

  it('that is being moved is not read', async () => {
    expect((await volumesOf(on(striped([['pvmove0', 0]]))))[0]!.unreadable).toContain('“pvmove0”');
  });

  it('on a disk that is marked as missing is not read, though the disk is back: it may be older', async () => {
    const group = { physical: ['!one'], logical: [aLogicalText('lv', [[1, striped([['pv0', 0]])]])] };
    expect((await volumesOf(group, ['one']))[0]!.unreadable).toContain('pv0');
  });

  it('on a disk that was cut is not read', async () => {
    const text = aGroupText({ physical: ['one'], logical: [aLogicalText('lv', [[1, striped([['pv0', 20]])]])] });
    const [volume] = await readLogicalVolumes([asMember(aPhysicalVolume({ id: 'one', text, sizeBytes: 128 * 1024 }))]);
    expect(volume!.unreadable).toMatch(/^physical volume pv0 .* is shorter than its group says$/);
  });

  it.each([
    { what: 'extents past the end of its disk', segment: striped([['pv0', 24]]) },
    { what: 'stripes that are not counted right', segment: striped([['pv0', 1]]).replace('stripe_count = 1', 'stripe_count = 2') },
    { what: 'stripes of no size', segment: striped([['pv0', 1], ['pv0', 2]], 0) }, // biome-ignore format: a row
    { what: 'no type', segment: '' },
    { what: 'a negative extent', segment: striped([['pv0', -1]]) },
    { what: 'an extent beyond all numbers', segment: striped([['pv0', 2 ** 60]]) },
  ])('with $what is damaged', async ({ segment }) => {
    const found = await volumesOf({ physical: ['one'], logical: [aLogicalText('lv', [[2, segment]])] });
    expect(found).toMatchObject([{ unreadable: 'its description is damaged' }]);
  });

  it('on the same extents as another is not read, nor is the other', async () => {
    const logical = [
      aLogicalText('a', [[2, striped([['pv0', 4]])]]),
      aLogicalText('b', [[1, striped([['pv0', 0]])]]),
      aLogicalText('c', [[3, striped([['pv0', 3]])]]),
    ];
    const found = await volumesOf({ physical: ['one'], logical });
    expect(found.map(({ name, unreadable }) => [name, unreadable])).toEqual([
      ['a', 'its description is damaged: it lies on the same bytes as “c”'],
      ['b', undefined],
      ['c', 'its description is damaged: it lies on the same bytes as “a”'],
    ]);
  });

  it('with a size beyond all numbers is damaged', async () => {
    const found = await volumesOf({ physical: ['one'], logical: [aLogicalText('lv', [[2 ** 52, striped([['pv0', 1]])]])] });
    expect(found).toMatchObject([{ sizeBytes: 0, unreadable: 'its description is damaged' }]);
  });
});

describe('cloned disks', () => {
  const logical = [aLogicalText('root', [[1, striped([['pv0', 0]])]])];
  const aDisk = (id: string, group: Partial<GroupOptions> = {}) =>
    asMember(aPhysicalVolume({ id, text: aGroupText({ physical: [id], logical, ...group }) }));

  it('whose groups have the same name but other ids are two groups', async () => {
    const found = await readLogicalVolumes([aDisk('one', { id: 'B' }), aDisk('two', { id: 'A' })]);
    expect(found.map(({ group, groupId, place }) => [group, groupId[0], place({ offset: 0, length: 1 })[0]!.member])).toEqual([
      ['vg', 'A', 1],
      ['vg', 'B', 0],
    ]);
  });

  it('that are equal are a group each, in the order of the disks', async () => {
    const found = await readLogicalVolumes([aDisk('one', { sequence: 2 }), aDisk('one', { sequence: 7 })]);
    const id = 'group'.padEnd(32, '0');
    expect(found.map(({ groupId, place }) => [groupId, place({ offset: 0, length: 1 })[0]!.member])).toEqual([
      [id, 0],
      [`${id}.2`, 1],
    ]);
  });

  it('of a group on several disks are never mixed', async () => {
    const text = aGroupText({ physical: ['one', 'two'], logical });
    const disks = ['one', 'two', 'one'].map((id) => asMember(aPhysicalVolume({ id, text })));
    const [volume] = await readLogicalVolumes(disks);
    expect(volume!.unreadable).toMatch(/^several disks say that they are physical volume pv0 /);
    expect(() => volume!.place({ offset: 0, length: 1 })).toThrow(MabsError);
  });
});
