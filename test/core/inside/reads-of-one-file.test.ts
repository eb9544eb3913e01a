import { describe, expect, it } from '@jest/globals';
import { OpenedMachine } from '../../../src/core/inside/opened-machine.ts';
import { fileAt } from '../../../src/core/probe/probed-files.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import { fileSystems } from '../../../src/filesystems/registry.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';

const MIB = 2 ** 20;

/** A fixture as the disk of a machine, of which it is counted how many bytes are read. */
async function counted(name: string) {
  const volume = await fixtureVolume(name);
  const count = { bytes: 0 };
  const disk = {
    ...volume,
    logicalSectorSize: 512,
    physicalSectorSize: 512,
    files: [],
    async read(offset: number, into: Uint8Array) {
      count.bytes += into.length;
      await volume.read(offset, into);
    },
    extents: async () => [],
    async [Symbol.asyncDispose]() {},
  };
  const machine = new OpenedMachine(name, { diskFormats, fileSystems }, [{ index: 0, open: async () => disk }]);
  const system = await machine.fileSystem(await machine.volume({ type: 'partition', disk: 0, partition: 1 }));
  return { system, count, sizeBytes: volume.sizeBytes };
}

describe('what is read of a disk for one file', () => {
  it.each([
    ['ext4', '/content/fragmented-0'],
    ['xfs-v5', '/extents/fragments'],
    ['ntfs-everyday', '/compressed/sparse-end'],
  ])('in %s is the file, and a bounded number of structures', async (name, path) => {
    const { system, count, sizeBytes } = await counted(name);
    const file = (await fileAt(system, path))!;
    const content = await system.open(file);
    await content.read(0, new Uint8Array(content.sizeBytes));
    expect(count.bytes).toBeLessThan(file.size + 4 * MIB);
    expect(count.bytes).toBeLessThan(sizeBytes);
  });

  it.each([['ext4'], ['xfs-v5'], ['ntfs-everyday']])('in %s is little for a listing of the root', async (name) => {
    const { system, count } = await counted(name);
    for await (const entry of system.list(await system.root())) await entry.node();
    expect(count.bytes).toBeLessThan(3 * MIB);
  });
});
