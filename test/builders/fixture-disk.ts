import { rm } from 'node:fs/promises';
import { diskFormats } from '../../src/disks/registry.ts';
import { fixtureVolume } from './fixture-volume.ts';
import { anMbr } from './partition-tables.ts';

const MiB = 2 ** 20;
const PAGE = 64 * 1024;

/** A dynamic VHDX with an MBR and a fixture volume in each primary partition; replaces what is there. */
export async function putFixtureDisk(path: string, names: readonly string[]): Promise<void> {
  const volumes = await Promise.all(names.map((name) => fixtureVolume(name)));
  const starts: number[] = [];
  let end = MiB;
  for (const { sizeBytes } of volumes) {
    starts.push(end);
    end += Math.ceil(sizeBytes / MiB) * MiB;
  }
  await rm(path, { force: true });
  await using disk = await diskFormats.get('vhdx').create(path, { sizeBytes: end, subformat: 'dynamic', blockSize: MiB });
  await disk.write(
    0,
    anMbr(volumes.map(({ sizeBytes }, index) => ({ type: 0x83, start: starts[index]! / 512, sectors: sizeBytes / 512 }))),
  );
  for (const [index, { pages, sizeBytes }] of volumes.entries()) {
    for (const [page, bytes] of pages)
      await disk.write(starts[index]! + page * PAGE, bytes.subarray(0, Math.min(PAGE, sizeBytes - page * PAGE)));
  }
  await disk.flush();
}
