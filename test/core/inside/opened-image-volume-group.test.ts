import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listFiles } from '../../../src/core/inside/list-files.ts';
import { openContent } from '../../../src/core/inside/open-content.ts';
import { openImage } from '../../../src/core/inside/opened-image.ts';
import { parseVolumePath } from '../../../src/core/inside/volume-path.ts';
import { diskFormats } from '../../../src/disks/registry.ts';
import { fileSystems } from '../../../src/filesystems/registry.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';

let folder: string;
const image = (index: number) => join(folder, `lvm-${index}.raw`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-group-'));
  for (const index of [0, 1, 2]) {
    const volume = await fixtureVolume(`lvm-${index}`);
    const bytes = new Uint8Array(volume.sizeBytes);
    await volume.read(0, bytes);
    await writeFile(image(index), bytes);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ports = { diskFormats, fileSystems };
const place = (text: string) => parseVolumePath(text, { machine: false });

describe('a volume group over several images', () => {
  it('is whole when all of them are named, and its volumes read as they were written', async () => {
    const truth = JSON.parse(await readFile(join(import.meta.dirname, '../../fixtures/filesystems/lvm.json'), 'utf8')) as {
      volumes: Record<string, { sha256: string }>;
    };
    for (const [name, { sha256 }] of Object.entries(truth.volumes)) {
      await using machine = openImage(ports, { image: image(1), with: [image(0), image(2)] });
      const content = await openContent(machine, place(`/lv/vg-data/${name}`));
      const bytes = new Uint8Array(content.sizeBytes);
      await content.read(0, bytes);
      expect({ name, sha256: createHash('sha256').update(bytes).digest('hex') }).toEqual({ name, sha256 });
    }
  });

  it('is listed with the image that is looked into, whose partitions alone are volumes of their own', async () => {
    await using machine = openImage(ports, { image: image(0), with: [image(1), image(2)] });
    const paths = (await Array.fromAsync(listFiles(machine, { type: 'all' }))).map(({ path }) => path);
    expect(paths).toEqual(['/p1', '/lv/vg-data/linear', '/lv/vg-data/striped', '/lv/vg-data/two_stripes']);
  });

  it('says what is missing when one of them is not named', async () => {
    await using machine = openImage(ports, { image: image(0) });
    const rows = await Array.fromAsync(listFiles(machine, place('/lv/vg-data')));
    expect(rows.map(({ type, unreadable }) => ({ type, unreadable }))).toEqual(
      rows.map(() => ({ type: 'other', unreadable: expect.stringMatching(/missing/) })),
    );
    await expect(openContent(machine, place('/lv/vg-data/striped'))).rejects.toMatchObject({
      ...{ code: 'MABS-FS-UNSUPPORTED', kind: 'prerequisite', hint: expect.stringContaining('--with') },
    });
  });
});
