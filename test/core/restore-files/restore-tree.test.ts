import { chmod, lstat, mkdir, open, readdir, readFile, readlink, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StreamTarget } from '../../../src/core/restore-files/stream-target.ts';
import { FileSystemDamagedError, FileUnreadableError } from '../../../src/filesystems/file-system.ts';
import { aRestoreWorld, type RestoreRunOptions, type RestoreWorld, restoreRun } from '../../builders/restore-run.ts';
import { type TreeEntry, treeFileSystem } from '../../builders/tree-file-system.ts';

let world: RestoreWorld;
beforeEach(async () => {
  world = await aRestoreWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const restore = (children: TreeEntry['children'], options: RestoreRunOptions & { origin?: 'bytes' | 'utf16' } = {}) =>
  restoreRun(world.target, treeFileSystem(children, options.origin), options);
const at = (...names: string[]) => join(world.target, 'all', ...names);
const text = (...names: string[]) => readFile(at(...names), 'utf8');
const EXTRAS = 'mabs-extras-11112222.jsonl';
const extras = async () =>
  (await readFile(join(world.target, EXTRAS), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const damage = new FileSystemDamagedError('tree', 'broken here');
/** A tree of so many levels, each in the one before. */
const deep = (levels: number): TreeEntry[] => [
  { name: 'd', children: () => (levels > 0 ? deep(levels - 1) : [{ name: 'bottom', content: 'deep down' }]) },
];

describe('a recovered tree', () => {
  it('holds the files and folders of the source, and nothing else', async () => {
    const tree = [
      { name: 'a.txt', content: 'one' },
      {
        name: 'd',
        children: [
          { name: 'b', content: 'two' },
          { name: 'e', children: [] },
        ],
      },
    ];
    const rows = await restore(tree);
    expect((await readdir(world.target, { recursive: true })).sort()).toEqual(['all', 'all/a.txt', 'all/d', 'all/d/b', 'all/d/e']);
    expect([await text('a.txt'), await text('d', 'b')]).toEqual(['one', 'two']);
    expect(rows.counts).toMatchObject({ files: 2, folders: 3, failed: 0, bytesWritten: 6 });
  });

  it('has times and permissions, of folders too, and set-id bits only on request', async () => {
    const node = { modified: 981_173_106_789_000_000n, accessed: 1_000_000_000_000_000_000n, mode: 0o4751 };
    const tree = [{ name: 'd', node: { ...node, mode: 0o500 }, children: [{ name: 'f', content: 'x', node }] }];
    await restore(tree);
    const file = await stat(at('d', 'f'), { bigint: true });
    expect([file.mtimeNs / 1000n, file.atimeNs / 1_000_000_000n, Number(file.mode) & 0o7777]).toEqual([
      node.modified / 1000n,
      1_000_000_000n,
      0o751,
    ]);
    const folder = await stat(at('d'), { bigint: true });
    expect([folder.mtimeNs / 1000n, Number(folder.mode) & 0o7777]).toEqual([node.modified / 1000n, 0o500]);
    await chmod(at('d'), 0o700);
    await restore(tree, { as: 'other', setId: true, id: '33334444' });
    expect((await stat(join(world.target, 'other', 'd', 'f'))).mode & 0o7777).toBe(0o4751);
    await chmod(join(world.target, 'other', 'd'), 0o700);
  });

  it('makes hard links of the names of one file', async () => {
    const node = { id: 'same', links: 3 };
    const names = ['a', 'b', 'c'].map((name) => ({ name, content: 'shared', node }));
    await restore([{ name: 'x', children: names.slice(0, 2) }, names[2]!]);
    const inodes = await Promise.all([at('x', 'a'), at('x', 'b'), at('c')].map(async (path) => (await stat(path)).ino));
    expect(new Set(inodes).size).toBe(1);
    expect((await stat(at('c'))).nlink).toBe(3);
  });

  it('keeps holes, and is done with a file of any size by what it holds', async () => {
    const size = 2 ** 42;
    const held = { offset: 2 ** 41, length: 4096 };
    const data: TreeEntry['data'] = async ({ offset, length }) => {
      asked += 1;
      const start = Math.max(offset, held.offset);
      const end = Math.min(offset + length, held.offset + held.length);
      return end > start ? [{ offset: start, length: end - start }] : [];
    };
    let asked = 0;
    const rows = await restore([{ name: 'sparse', node: { size }, data }]);
    expect(rows.counts).toMatchObject({ failed: 0, bytesWritten: 4096 });
    expect(asked).toBeLessThan(100);
    const found = await stat(at('sparse'));
    expect([found.size, found.blocks * 512 < 2 ** 20]).toEqual([size, true]);
  });

  it('goes on where a file, a name or a folder cannot be read, and lists each', async () => {
    const rows = await restore([
      { name: 'good', content: 'good' },
      { name: 'locked', failing: { open: new FileUnreadableError('locked', 'it is encrypted by EFS') } },
      { name: 'torn', content: new Uint8Array(3 * 2 ** 20).fill(7), failing: { read: damage } },
      { name: 'gone', failing: { node: damage } },
      { name: 'half', children: [{ name: 'first', content: 'f' }], failing: { list: damage } },
      { name: 'last', content: 'last' },
    ]);
    expect((await readdir(at(), { recursive: true })).sort()).toEqual(['good', 'half', 'half/first', 'last']);
    expect(rows.counts).toMatchObject({ files: 3, failed: 4 });
    expect(
      rows.files
        .filter(({ error }) => error)
        .map(({ path, error }) => [path, error!.code])
        .sort(),
    ).toEqual([
      [at('gone'), 'MABS-FS-DAMAGED'],
      [at('half'), 'MABS-FS-DAMAGED'],
      [at('locked'), 'MABS-FILE-UNREADABLE'],
      [at('torn'), 'MABS-FS-DAMAGED'],
    ]);
  });

  it('ends with a directory that holds itself, and with two that hold each other twice', async () => {
    const loop = (id: string, other: string): TreeEntry[] =>
      ['one', 'two'].map((name) => ({ name, node: { id }, children: () => loop(other, id) }));
    const rows = await restore(loop('a', 'b'));
    expect(rows.counts.folders).toBeLessThan(5);
    expect(rows.counts.failed).toBeGreaterThan(0);
  });

  it('goes as deep as paths may be long, and names what lies deeper', async () => {
    const rows = await restore(deep(10_000));
    const failed = rows.files.filter(({ status }) => status === 'failed');
    expect(failed.map(({ error }) => error!.code)).toEqual(['MABS-PATH-TOO-LONG']);
    expect(rows.counts.folders).toBeGreaterThan(1000);
  });
});

describe('a link', () => {
  const link = (name: string, target: string, node = {}): TreeEntry => ({ name, type: 'link', node: { target, ...node } });

  it('is made as it was, with its own times, after everything in its folder', async () => {
    await restore([link('out', '/etc/passwd', { modified: 1_000_000_000_000_000_000n }), { name: 'f', content: 'x' }]);
    expect(await readlink(at('out'))).toBe('/etc/passwd');
    expect((await lstat(at('out'))).mtimeMs).toBe(1e12);
  });

  it.each([
    ['skipped on request', link('l', 'x'), { links: 'skip' }],
    ['of Windows, on Linux', link('l', 'C:\\Windows', { junction: true }), { origin: 'utf16' }],
    ['that leads nowhere', link('l', ''), {}],
    ['with a NUL', link('l', 'a\0b'), {}],
  ] as const)('%s is noted and not made', async (_what, entry, options) => {
    const rows = await restore([entry], options);
    expect(await readdir(at())).toEqual([]);
    expect(rows.files).toMatchObject([{ type: 'link', status: 'noted' }]);
    expect((await extras()).at(-1)).toMatchObject({ path: 'all/l', names: ['l'], type: 'link', target: entry.node!.target });
  });
});

describe('what the target cannot hold', () => {
  it('is kept in the file of extras, descriptors once', async () => {
    const shared = { securityDescriptor: Buffer.from('sd') };
    await restore(
      [
        { name: 'a', content: 'x', extras: shared, streamContents: { 'Zone.Identifier': '[ZoneTransfer]', large: 'l'.repeat(100_000) } },
        { name: 'b', content: 'x', extras: { ...shared, extendedAttributes: [{ name: 'user.x', value: Buffer.from('v') }] } },
        { name: 'c:d', content: 'x', node: { created: 1_000_000_000_123_456_700n } },
        { name: 'plain', content: 'x' },
        { name: 'pipe', type: 'other', node: { special: 'fifo' } },
      ],
      { names: 'windows' },
    );
    const [header, ...lines] = await extras();
    expect(header).toEqual({ format: 'mabs-extras', version: 1, job: '11112222' });
    const of = (path: string) => lines.find((line) => line.path === `all/${path}`);
    expect(lines.filter((line) => line.base64 !== undefined)).toEqual([{ security: 1, base64: 'c2Q=' }]);
    expect(of('a')).toMatchObject({
      security: 1,
      streams: [{ name: 'Zone.Identifier', base64: 'W1pvbmVUcmFuc2Zlcl0=' }, { name: 'large' }],
    });
    const [, large] = of('a')!.streams as { file: string }[];
    expect(await readFile(join(world.target, large!.file), 'utf8')).toBe('l'.repeat(100_000));
    expect(of('b')).toMatchObject({ security: 1, extendedAttributes: [{ name: 'user.x', base64: 'dg==' }] });
    expect(of('c%{3A}d')).toMatchObject({ names: ['c:d'], created: '2001-09-09T01:46:40.123456700Z' });
    expect(of('pipe')).toMatchObject({ type: 'other', special: 'fifo' });
    expect(of('plain')).toBeUndefined();
  });

  it('is nothing for plain files, and then there is no file of extras', async () => {
    await restore([{ name: 'a', content: 'x', node: { created: 1n, uid: 5, gid: 5, mode: 0o644 } }]);
    expect(await readdir(world.target)).toEqual(['all']);
  });

  it('is less where it holds streams: they are made with their file, but for names that lead elsewhere', async () => {
    const made: string[] = [];
    const streams: StreamTarget = {
      create: async (file, stream) => {
        expect((await lstat(file)).isFile()).toBe(true);
        made.push(stream);
        return await open(join(world.around, `stream-${made.length}`), 'wx');
      },
    };
    const hostile = ['..\\x', 'a:$DATA', 'x/y', '$I30:$INDEX_ALLOCATION'];
    const streamContents = { good: 'stream', ...Object.fromEntries(hostile.map((name) => [name, 'x'])) };
    await restore([{ name: 'a', content: 'x', streamContents }], { streams });
    expect(made).toEqual(['good']);
    expect(await readFile(join(world.around, 'stream-1'), 'utf8')).toBe('stream');
    expect((await extras()).at(-1)).toMatchObject({ streams: hostile.map((name) => ({ name, base64: 'eA==' })) });
  });
});

describe('what is there already', () => {
  const tree = [
    {
      name: 'd',
      children: [
        { name: 'f', content: 'new' },
        { name: 'g', content: 'new' },
      ],
    },
  ];
  beforeEach(async () => {
    await mkdir(at('d'), { recursive: true });
    await writeFile(at('d', 'f'), 'old');
  });

  it('stays with skip, and what is missing is added', async () => {
    const rows = await restore(tree, { existing: 'skip' });
    expect([await text('d', 'f'), await text('d', 'g')]).toEqual(['old', 'new']);
    expect(rows.counts).toMatchObject({ files: 1, skipped: 1 });
  });

  it('is replaced with overwrite, whole', async () => {
    await restore(tree, { existing: 'overwrite' });
    expect(await text('d', 'f')).toBe('new');
  });

  it.each(['overwrite', 'skip'] as const)('is never gone through where it is a link (%s)', async (existing) => {
    await mkdir(join(world.around, 'outside'));
    await rename(at('d'), join(world.around, 'old'));
    await symlink(join(world.around, 'outside'), at('d'));
    const rows = await restore(tree, { existing });
    expect(rows.counts).toMatchObject({ files: 0, failed: 1 });
    expect(await readdir(join(world.around, 'outside'))).toEqual([]);
    expect(await readlink(at('d'))).toBe(join(world.around, 'outside'));
  });

  it('is not taken for what this job wrote a moment before', async () => {
    const twins = [
      { name: 'twin', content: 'one' },
      { name: 'twin', content: 'two' },
    ];
    await restore([{ name: 'd', children: twins }], { existing: 'overwrite' });
    expect([await text('d', 'twin'), await text('d', 'twin%{~2}')].sort()).toEqual(['one', 'two']);
  });
});

describe.each(['descriptors', 'paths'] as const)('somebody at work in the target meanwhile (%s)', (anchors) => {
  it('does not get a byte written through a link that takes a folder’s place', async () => {
    const outside = join(world.around, 'outside');
    await mkdir(outside);
    const tree = [
      {
        name: 'd',
        children: function* (): Generator<TreeEntry> {
          yield { name: 'before', content: 'x' };
          // Between two files of the folder it becomes a link that leads out.
          swap ??= rename(at('d'), join(world.around, 'moved')).then(() => symlink(outside, at('d')));
          for (let number = 0; number < 40; number++) yield { name: `after${number}`, content: 'x' };
        },
      },
    ];
    let swap: Promise<void> | undefined;
    await restore(tree, { anchors }).catch(() => undefined);
    await swap;
    expect(await readdir(outside)).toEqual([]);
    expect(await readlink(at('d'))).toBe(outside);
  });

  it('does not get files written over that it put in the way', async () => {
    let planted: Promise<void> | undefined;
    const tree = function* (): Generator<TreeEntry> {
      planted ??= symlink(join(world.around, 'outside'), at('f'));
      yield { name: 'g', content: 'x' };
      yield { name: 'f', content: 'recovered' };
    };
    await restore(tree, { anchors });
    await planted;
    expect((await readdir(world.around)).sort()).toEqual(['target']);
    const all = await readdir(at());
    expect(all).toContain('f');
    expect(all.length).toBe(3);
  });
});

describe('a recovery that is stopped', () => {
  it('leaves whole files only, and no temporary ones', async () => {
    const stopping = new AbortController();
    const content = new Uint8Array(5 * 2 ** 20).fill(1);
    const tree = Array.from({ length: 20 }, (_, index) => ({ name: `f${index}`, content }));
    let bytes = 0;
    const onBytes = (more: number) => {
      bytes += more;
      if (bytes > 12 * 2 ** 20) stopping.abort();
    };
    await expect(restore(tree, { signal: stopping.signal, onBytes })).rejects.toMatchObject({ code: 'MABS-INTERRUPTED' });
    expect(await readdir(world.target)).toEqual(['all']);
    for (const name of await readdir(at())) expect((await stat(at(name))).size).toBe(content.length);
  });
});
