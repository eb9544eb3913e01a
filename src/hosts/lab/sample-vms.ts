import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createZstdDecompress } from 'node:zlib';
import { remove } from 'fs-extra/esm';
import type { WritableDisk } from '../../disks/disk-format.ts';
import { flushFolder } from '../../lib/durable-files.ts';
import { MabsError } from '../../lib/errors.ts';
import type { VmState } from '../../model/consistency.ts';
import { startTracking } from './change-tracking.ts';
import type { LabContext } from './lab-context.ts';
import { readVms, rewriteVm } from './lab-vm.ts';
import { makeFolder, safeName } from './recovery-files.ts';

const IMAGES = fileURLToPath(new URL('../../../lab-images/', import.meta.url));
const MiB = 1024 ** 2;
/** Holes are found in pieces of this size. */
const PIECE = 64 * 1024;

interface SampleVm {
  readonly name: string;
  readonly description: string;
  readonly os: 'windows' | 'linux';
  readonly integrationServices: { readonly version: string; readonly vss: boolean };
  readonly disks: readonly { readonly image: string; readonly sizeMiB: number }[];
}

/** What `lab-images/` holds, made by scripts/make-lab-images.sh. */
export const sampleVms: readonly SampleVm[] = [
  {
    name: 'win-files',
    description: 'a Windows file server: one disk, GPT with NTFS',
    os: 'windows',
    integrationServices: { version: '10.0.26100', vss: true },
    disks: [{ image: 'win-files-disk0', sizeMiB: 256 }],
  },
  {
    name: 'linux-web',
    description: 'a Linux web server: two disks, GPT with ext4',
    os: 'linux',
    integrationServices: { version: '6.8', vss: true },
    disks: [
      { image: 'linux-web-disk0', sizeMiB: 256 },
      { image: 'linux-web-disk1', sizeMiB: 64 },
    ],
  },
];

export class SampleVmUnknownError extends MabsError {
  readonly code = 'MABS-LAB-SAMPLE-UNKNOWN';
  readonly hint = `Sample VMs are ${sampleVms.map(({ name }) => name).join(' and ')}.`;
  override readonly kind = 'usage';
  constructor(name: string) {
    super(`there is no sample VM ${JSON.stringify(name)}`);
  }
}

export class SampleVmExistsError extends MabsError {
  readonly code = 'MABS-LAB-VM-EXISTS';
  readonly hint = 'Choose another folder, or remove that VM first.';
  constructor(path: string, name: string) {
    super(`${path} has a VM ${name} already`);
  }
}

/** Makes sample VMs, each complete before it is a VM of the host; answers their folders. */
export async function makeSampleVms(lab: LabContext, names: readonly string[], state: VmState): Promise<string[]> {
  const wanted = names.map((name) => sampleVms.find((sample) => sample.name === name) ?? unknown(name));
  const { vms } = await readVms(lab.name, lab.path);
  for (const { name } of wanted) if (vms.some(({ definition }) => definition.name === name)) throw new SampleVmExistsError(lab.path, name);
  const folders: string[] = [];
  for (const sample of wanted) {
    const folderName = await makeFolder(lab.path, safeName(sample.name));
    try {
      await fillFolder(lab, join(lab.path, folderName), sample, state);
    } catch (error) {
      await remove(join(lab.path, folderName));
      throw error;
    }
    folders.push(folderName);
  }
  return folders;
}

async function fillFolder(
  lab: LabContext,
  folder: string,
  { name, os, integrationServices, disks }: SampleVm,
  state: VmState,
): Promise<void> {
  const paths = disks.map((_, index) => `disk${index}.vhdx`);
  for (const [index, { image, sizeMiB }] of disks.entries()) {
    const path = join(folder, paths[index]!);
    await using disk = await lab.diskFormats.get('vhdx').create(path, { sizeBytes: sizeMiB * MiB, subformat: 'dynamic', blockSize: MiB });
    await unpack(join(IMAGES, `${image}.raw.zst`), disk);
    await disk.flush();
    await startTracking(path, lab.random.uuid());
  }
  await flushFolder(folder);
  const entries = paths.map((path) => ({ id: lab.random.uuid(), controller: 'scsi', path }));
  await rewriteVm({ folder, raw: {} }, { id: lab.random.uuid(), name, generation: 2, state, os, integrationServices, disks: entries });
}

async function unpack(image: string, disk: WritableDisk): Promise<void> {
  let offset = 0;
  await pipeline(createReadStream(image), createZstdDecompress({ chunkSize: MiB }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        if (!isZero(piece)) await disk.write(offset + at, piece);
      }
      offset += chunk.length;
    }
  });
}

const ZEROS = Buffer.alloc(PIECE);

function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length));
}

function unknown(name: string): never {
  throw new SampleVmUnknownError(name);
}
