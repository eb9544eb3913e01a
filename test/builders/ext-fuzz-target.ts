import { extDriver } from '../../src/filesystems/ext/ext-driver.ts';
import { MODE } from '../../src/filesystems/ext/inode.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { FileSystemFuzzTarget, FileSystemSeed } from './file-system-fuzzer.ts';
import { type TinyExt, tinyExt, tinyInode, withJournal } from './tiny-ext.ts';

/** ext2, ext4 with and without checksums (made right again, so that what they protect is reached), and with a journal to replay. */
export const extFuzzTarget: FileSystemFuzzTarget = {
  name: 'ext',
  driver: extDriver,
  async seeds() {
    const [ext2, ext4, plain] = await Promise.all([tinyExt('ext-tiny-ext2'), tinyExt('ext-tiny-ext4'), tinyExt('ext-tiny-ext4-plain')]);
    return [seedOf('ext2', ext2), seedOf('ext4', ext4), seedOf('ext4 without checksums', plain), await journalSeed(ext2)];
  },
};

function seedOf(name: string, tiny: TinyExt): FileSystemSeed {
  return { name, bytes: tiny.bytes, hotspots: structuresOf(tiny), fix: tiny.fix };
}

async function journalSeed(tiny: TinyExt): Promise<FileSystemSeed> {
  const { blockSize, bytes } = tiny;
  const journal = await tinyInode(tiny, '/journal');
  const contentOf = (block: number) => bytes.slice(block * blockSize, (block + 1) * blockSize);
  const root = tiny.placeOf(2, 0) / blockSize;
  const table = Math.floor(tiny.positionOf(2) / blockSize);
  const volume = await withJournal(tiny, {
    start: 30,
    transactions: [
      { writes: [root, table].map((block) => ({ block, content: contentOf(block) })) },
      { writes: [{ block: table + 1, content: contentOf(table + 1) }], revokes: [root] },
      { writes: [{ block: root, content: contentOf(root) }] },
    ],
  });
  const log = Array.from({ length: 40 }, (_, index) => ({ offset: tiny.placeOf(journal, index), length: index === 0 ? 96 : 256 }));
  return { name: 'a journal', bytes: volume, hotspots: [...structuresOf(tiny), ...log] };
}

function structuresOf(tiny: TinyExt): ByteRange[] {
  const { blockSize, inodes, checked } = tiny;
  const maps = [...inodes].flatMap(([number, { format, block }]) =>
    format === MODE.file ? [{ offset: tiny.positionOf(number) + 40, length: block.length }] : [],
  );
  return [
    { offset: 1024, length: 660 },
    { offset: 2 * blockSize, length: 64 },
    ...[...inodes.keys()].map((number) => ({ offset: tiny.positionOf(number), length: 256 })),
    ...maps,
    ...checked.map(({ block }) => ({ offset: block * blockSize, length: blockSize })),
  ];
}
