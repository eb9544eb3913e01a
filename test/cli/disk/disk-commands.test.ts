import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diskConvertCommand } from '../../../src/cli/disk/convert.ts';
import { diskCreateCommand } from '../../../src/cli/disk/create.ts';
import { diskExportCommand } from '../../../src/cli/disk/export.ts';
import { diskInfoCommand } from '../../../src/cli/disk/info.ts';
import { diskMapCommand } from '../../../src/cli/disk/map.ts';
import { diskWriteCommand } from '../../../src/cli/disk/write.ts';
import { fakeApp } from '../../builders/fake-app.ts';
import { anMbr } from '../../builders/partition-tables.ts';
import { runCommand } from '../../builders/run-command.ts';
import { aContent } from '../../contracts/disk-source.ts';

const MiB = 1024 * 1024;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-disk-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

async function aFile(name: string, content: Uint8Array): Promise<string> {
  await writeFile(at(name), content);
  return at(name);
}

describe('mabs disk info', () => {
  it('prints the fields of the contract as JSON', async () => {
    const disk = new Uint8Array(2 * MiB);
    disk.set(anMbr([{ type: 0x83, start: 2048, sectors: 1024 }]));
    const app = fakeApp({ json: true });
    await runCommand(diskInfoCommand(app), await aFile('one.img', disk));
    expect(JSON.parse(app.stdout())).toEqual({
      format: 'raw',
      subformat: 'fixed',
      virtualSize: 2 * MiB,
      blockSize: 0,
      logicalSectorSize: 512,
      physicalSectorSize: 512,
      dirtyLog: false,
      partitionTable: 'mbr',
      partitions: [{ index: 1, start: MiB, size: 512 * 1024, type: '83', fileSystem: null }],
    });
  });

  it('calls a disk without a table p1 where it holds a file system', async () => {
    const disk = new Uint8Array(MiB);
    disk.set(Buffer.from('XFSB'));
    disk.set(Buffer.from('archive'), 108);
    const app = fakeApp({ json: true });
    await runCommand(diskInfoCommand(app), await aFile('whole.img', disk));
    expect(app.rendered[0]).toMatchObject({
      partitionTable: 'none',
      partitions: [{ index: 1, start: 0, size: MiB, fileSystem: 'xfs', label: 'archive' }],
    });
  });

  it('calls an empty disk empty', async () => {
    const app = fakeApp();
    await runCommand(diskInfoCommand(app), await aFile('empty.img', new Uint8Array(MiB)));
    expect(app.rendered[0]).toMatchObject({ partitionTable: 'none', partitions: [] });
    expect(app.stdout()).toContain('raw, fixed');
  });

  it.each([
    { what: 'a missing image', name: 'gone.vhdx', code: 'MABS-FILE-MISSING', kind: 'failed' },
    { what: 'a folder', name: '.', code: 'MABS-NOT-A-FILE', kind: 'failed' },
  ])('fails clearly for $what', async ({ name, code, kind }) => {
    await expect(runCommand(diskInfoCommand(fakeApp()), at(name))).rejects.toMatchObject({ code, kind });
  });
});

describe('mabs disk map', () => {
  it('lists where the data lies', async () => {
    const path = await aFile('map.img', new Uint8Array(4096));
    const app = fakeApp({ json: true });
    await runCommand(diskMapCommand(app), path);
    expect(JSON.parse(app.stdout())).toEqual([{ offset: 0, length: 4096, kind: 'data', file: path, position: 0 }]);
  });
});

describe('mabs disk export', () => {
  it('writes the content byte for byte, with holes where it is zero', async () => {
    const content = new Uint8Array(24 * MiB + 5);
    content.set(aContent(3 * MiB), 9 * MiB);
    content[content.length - 1] = 1;
    const app = fakeApp({ json: true });
    await runCommand(diskExportCommand(app), await aFile('in.img', content), at('out.raw'), '--format', 'raw');
    expect(Buffer.compare(await readFile(at('out.raw')), content)).toBe(0);
    expect(app.rendered[0]).toMatchObject({ path: at('out.raw'), format: 'raw', virtualSize: content.length });
    if (process.platform === 'linux') expect((await stat(at('out.raw'))).blocks * 512).toBeLessThan(3 * MiB);
    expect(app.progress.at(-1)).toMatchObject({ doneBytes: content.length, totalBytes: content.length });
  });

  it('replaces a file only when told to, and never what it reads', async () => {
    const input = await aFile('input.img', Uint8Array.of(1, 2, 3));
    const output = await aFile('output.img', Uint8Array.of(9));
    await expect(runCommand(diskExportCommand(fakeApp()), input, output)).rejects.toMatchObject({ code: 'MABS-FILE-EXISTS' });
    expect([...(await readFile(output))]).toEqual([9]);
    await expect(runCommand(diskExportCommand(fakeApp()), input, input, '--overwrite')).rejects.toMatchObject({
      code: 'MABS-OUTPUT-IS-INPUT',
    });
    expect([...(await readFile(input))]).toEqual([1, 2, 3]);
    await runCommand(diskExportCommand(fakeApp()), input, output, '--overwrite');
    expect([...(await readFile(output))]).toEqual([1, 2, 3]);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const input = await aFile('long.img', new Uint8Array(9 * MiB).fill(1));
    await mkdir(at('target'));
    const stop = new AbortController();
    const app = fakeApp({ signal: stop.signal });
    const stopping = { ...app, withProgress: (_: string, run: (show: () => void) => Promise<unknown>) => run(() => stop.abort()) };
    await expect(runCommand(diskExportCommand(stopping as typeof app), input, at('target/out.raw'))).rejects.toMatchObject({
      code: 'MABS-INTERRUPTED',
    });
    expect(await readdir(at('target'))).toEqual([]);
  });

  it('names a target folder that is missing', async () => {
    const input = await aFile('small.img', Uint8Array.of(1));
    await expect(runCommand(diskExportCommand(fakeApp()), input, at('nowhere/out.raw'))).rejects.toMatchObject({
      code: 'MABS-FILE-MISSING',
    });
  });
});

describe('mabs disk create and write', () => {
  it('makes a raw image and writes into it', async () => {
    const image = at('new.raw');
    await runCommand(diskCreateCommand(fakeApp()), image, '--size', '1MiB');
    const model = new Uint8Array(MiB);
    const write = (...words: string[]) => runCommand(diskWriteCommand(fakeApp()), image, ...words);
    await write('--offset', '512', '--data', 'de:ad:be:ef');
    model.set([0xde, 0xad, 0xbe, 0xef], 512);
    await write('--offset', '1000', '--pattern', '0102', '--length', '5');
    model.set([1, 2, 1, 2, 1], 1000);
    await write('--offset', '513', '--zero', '--length', '2');
    model.set([0, 0], 513);
    await write('--offset', '1MB', '--from', await aFile('part.bin', Uint8Array.of(7, 8)));
    model.set([7, 8], 1_000_000);
    expect(Buffer.compare(await readFile(image), model)).toBe(0);
  });

  it('writes the same random bytes for the same seed', async () => {
    for (const name of ['a.raw', 'b.raw']) {
      await runCommand(diskCreateCommand(fakeApp()), at(name), '--size', '8MiB');
      await runCommand(diskWriteCommand(fakeApp()), at(name), '--offset', '100', '--random', 'seed', '--length', '5MiB');
    }
    expect(Buffer.compare(await readFile(at('a.raw')), await readFile(at('b.raw')))).toBe(0);
    expect(new Set((await readFile(at('a.raw'))).subarray(100, 4100)).size).toBeGreaterThan(200);
  });

  it('writes nothing where not all of it fits', async () => {
    const image = await aFile('tight.raw', new Uint8Array(1024));
    await expect(
      runCommand(diskWriteCommand(fakeApp()), image, '--offset', '1000', '--pattern', 'ff', '--length', '25'),
    ).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    expect(new Set(await readFile(image))).toEqual(new Set([0]));
  });

  it.each([
    { words: ['--offset', '0'] },
    { words: ['--offset', '0', '--data', '00', '--zero'] },
    { words: ['--offset', '0', '--zero'] },
    { words: ['--offset', '0', '--data', 'xyz'] },
    { words: ['--offset', 'soon', '--data', '00'] },
    { words: ['--offset', '0', '--data', '00', '--length', '1'] },
  ])('refuses $words as wrong usage', async ({ words }) => {
    const image = await aFile('usage.raw', new Uint8Array(512));
    await expect(runCommand(diskWriteCommand(fakeApp()), image, ...words)).rejects.toMatchObject({ kind: 'usage' });
  });

  it.each([
    { words: ['x.raw'] },
    { words: ['x.qcow2', '--size', '1MiB'] },
    { words: ['x.raw', '--size', '1MiB', '--format', 'vmdk'] },
    { words: ['x.vhd', '--size', '1MiB', '--type', 'differencing'] },
    { words: ['x.vhd', '--size', '1MiB', '--parent', 'y.vhd'] },
    { words: ['x.vhd', '--size', '1MiB', '--sector-size', '520'] },
  ])('refuses to create with $words', async ({ words: [name, ...rest] }) => {
    await expect(runCommand(diskCreateCommand(fakeApp()), at(name!), ...rest)).rejects.toMatchObject({ kind: 'usage' });
  });
});

describe('mabs disk convert', () => {
  it('takes the format from the name of the output', async () => {
    const input = await aFile('c.img', aContent(MiB));
    const app = fakeApp({ json: true });
    await runCommand(diskConvertCommand(app), input, at('d.raw'));
    expect(app.rendered[0]).toMatchObject({ format: 'raw', virtualSize: MiB });
    await expect(runCommand(diskConvertCommand(app), input, at('d.xyz'))).rejects.toMatchObject({ code: 'MABS-USAGE' });
  });
});
