import { describe, expect, it } from '@jest/globals';
import { findFile } from '../../../src/core/inside/find-file.ts';
import { type MemoryFile, memoryFileSystem } from '../../builders/memory-file-system.ts';

const tree: MemoryFile[] = [
  { name: 'Users', children: [{ name: 'Ada', children: [{ name: 'notes.txt', content: 'hi' }] }] },
  { name: 'way', target: 'Users/Ada' },
  { name: 'plain', content: 'x' },
];
const find = (path: string, system = memoryFileSystem(tree), options = {}) =>
  findFile(system, path.split('/').filter(Boolean), 'web.raw:/p1', options);
const unknown = (hint?: RegExp) =>
  expect.objectContaining({ code: 'MABS-FILE-UNKNOWN', kind: 'failed', ...(hint && { hint: expect.stringMatching(hint) }) });

describe('finding a file by its path', () => {
  it('goes down name by name', async () => {
    expect(await find('/')).toMatchObject({ names: [], node: { type: 'dir' } });
    expect(await find('/Users/Ada/notes.txt')).toMatchObject({
      names: ['Users', 'Ada', 'notes.txt'],
      node: { type: 'file', size: 2 },
      parent: { type: 'dir' },
    });
  });

  it('leaves case to the file system', async () => {
    await expect(find('/users/ada')).rejects.toEqual(unknown(/\/Users/));
    expect(await find('/users/ADA', memoryFileSystem(tree, 'utf16'))).toMatchObject({ names: ['users', 'ADA'], node: { type: 'dir' } });
  });

  it('answers names as they are stored when asked to', async () => {
    expect((await find('/users/ADA/NOTES.txt', memoryFileSystem(tree, 'utf16'), { asStored: true })).names).toEqual([
      'Users',
      'Ada',
      'notes.txt',
    ]);
  });

  it('tells what may have been meant', async () => {
    await expect(find('/Users/Ida')).rejects.toEqual(unknown(/\/Users\/Ada/));
    await expect(find('/Users\\Ada')).rejects.toEqual(unknown(/separated by \//));
    await expect(find('/Users/Ada/nothing like it')).rejects.toEqual(unknown(/listing/));
  });

  it('follows no link, and says where it leads', async () => {
    await expect(find('/way/notes.txt')).rejects.toMatchObject({
      ...{ code: 'MABS-FILE-TYPE', kind: 'usage', message: '/way on web.raw:/p1 is a link to Users/Ada, and links are not followed' },
    });
    expect(await find('/way')).toMatchObject({ node: { type: 'link' } });
    await expect(find('/plain/x')).rejects.toMatchObject({ code: 'MABS-FILE-TYPE' });
  });

  it('never walks out by dots, which are names like any other', async () => {
    await expect(find('/Users/../plain')).rejects.toEqual(unknown());
    await expect(find('/./plain')).rejects.toEqual(unknown());
    const hostile = memoryFileSystem([{ name: '..', children: [{ name: 'x', content: 'inside' }] }]);
    expect(await find('/../x', hostile)).toMatchObject({ names: ['..', 'x'], node: { size: 6 } });
  });

  it('finds names that hold slashes', async () => {
    const hostile = memoryFileSystem([{ name: 'a/../b', content: 'one' }]);
    expect(await find('/a/../b', hostile)).toMatchObject({ names: ['a/../b'], node: { size: 3 } });
  });

  it('finds what a shell cannot pass, where one name alone can be meant', async () => {
    const bytes = memoryFileSystem([{ name: 'caf\udce9', content: 'one' }]);
    expect(await find('/caf\ufffd', bytes)).toMatchObject({ names: ['caf\udce9'] });
    const units = memoryFileSystem([{ name: 'x\ud800', content: 'one' }], 'utf16');
    expect(await find('/x\ufffd', units)).toMatchObject({ names: ['x\ud800'] });
    const two = memoryFileSystem([{ name: 'caf\udce9' }, { name: 'caf\udcea' }]);
    await expect(find('/caf\ufffd', two)).rejects.toEqual(unknown());
  });

  it('finds names as a terminal was shown them', async () => {
    const odd = memoryFileSystem([
      { name: 'red\u001b[31m', content: 'one' },
      { name: 'caf\udce9', content: 'three' },
      { name: '\\n', content: 'as it is' },
    ]);
    expect(await find('/red\\e[31m', odd)).toMatchObject({ names: ['red\u001b[31m'] });
    expect(await find('/caf\\u{dce9}', odd)).toMatchObject({ names: ['caf\udce9'] });
    expect(await find('/\\n', odd)).toMatchObject({ node: { size: 8 } });
    await expect(find('/\\u{ffffff}', odd)).rejects.toEqual(unknown());
  });

  it('tells damage on the way', async () => {
    await expect(find('/gone/x', memoryFileSystem([{ name: 'gone', damaged: true }]))).rejects.toMatchObject({ kind: 'damaged' });
    // The names of a broken folder are no hint, and no other failure either.
    const broken = memoryFileSystem([{ name: 'd', children: [{ name: 'a' }, { name: 'b' }], breaksAfter: 1 }]);
    await expect(find('/d/c', broken)).rejects.toEqual(unknown());
  });
});
