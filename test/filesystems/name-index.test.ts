import { expect, it } from '@jest/globals';
import type { FileNode } from '../../src/filesystems/file-system.ts';
import { NameIndex } from '../../src/filesystems/name-index.ts';

const directory = (id: string): FileNode => ({ id, type: 'dir', size: 0, links: 1 });

/** A directory of these names that counts how many are looked at, and may fail at its end. */
function indexOf(names: readonly string[], failure?: Error) {
  const looked = { at: 0 };
  const entriesOf = async function* () {
    for (const [place, name] of names.entries()) {
      looked.at += 1;
      yield { name, place };
    }
    if (failure) throw failure;
  };
  return { looked, index: new NameIndex(entriesOf, (name) => name.toUpperCase()) };
}

it('looks once at a directory in which many names are sought', async () => {
  const names = Array.from({ length: 1000 }, (_, place) => `Name ${place}`);
  const { looked, index } = indexOf(names);
  for (const [place, name] of names.entries()) {
    expect(await index.find(directory('a'), name)).toEqual({ name, place });
    expect((await index.find(directory('a'), name.toLowerCase()))?.place).toBe(place);
  }
  expect(await index.find(directory('a'), 'none')).toBeUndefined();
  expect(looked.at).toBe(1000);
  await index.find(directory('b'), 'none');
  expect(looked.at).toBe(2000);
});

it('prefers the exact name, then the first', async () => {
  const { index } = indexOf(['one', 'ONE', 'One']);
  expect([(await index.find(directory('a'), 'One'))?.place, (await index.find(directory('a'), 'oNE'))?.place]).toEqual([2, 0]);
});

it('searches in directories that are too large to remember', async () => {
  const { index } = indexOf([...Array.from({ length: 16_384 }, (_, place) => `${place}`), 'Last']);
  expect((await index.find(directory('a'), 'LAST'))?.place).toBe(16_384);
  expect((await index.find(directory('a'), 'Last'))?.place).toBe(16_384);
});

it('finds what stands before damage, and tells of the damage otherwise', async () => {
  const { index } = indexOf(['a', 'b'], new Error('damaged'));
  expect((await index.find(directory('a'), 'b'))?.place).toBe(1);
  await expect(index.find(directory('a'), 'B')).rejects.toThrow('damaged');
});
