import { hash } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFormats } from '../../src/disks/registry.ts';
import type { SimulatedHost } from '../../src/hosts/host.ts';
import { hostKinds } from '../../src/hosts/registry.ts';
import type { SeededRandom } from './seeded-random.ts';

const MiB = 2 ** 20;

/** SHA-256 of each disk of a VM, in order. */
export type DiskHashes = readonly string[];

interface VmPlan {
  readonly name: string;
  readonly os: 'windows' | 'linux' | 'other';
  readonly vss: boolean;
  readonly state: 'running' | 'saved' | 'off';
  readonly disksMiB: readonly number[];
}

/** One VM for each way of being captured: with VSS, frozen by its file systems, paused for the moment, as it lies. */
const PLANS: readonly VmPlan[] = [
  { name: 'app', os: 'windows', vss: true, state: 'running', disksMiB: [24, 10] },
  { name: 'web', os: 'linux', vss: true, state: 'running', disksMiB: [16] },
  { name: 'old', os: 'other', vss: false, state: 'running', disksMiB: [12] },
  { name: 'idle', os: 'windows', vss: true, state: 'off', disksMiB: [12, 6] },
];

/** Small VMs of a lab whose content is known byte for byte. */
export class LabVms {
  readonly folder: string;
  readonly names: readonly string[] = PLANS.map(({ name }) => name);
  readonly #random: SeededRandom;
  readonly #host: SimulatedHost;
  /** What each disk must hold now. */
  readonly #contents = new Map<string, Buffer[]>();

  private constructor(folder: string, random: SeededRandom, host: SimulatedHost) {
    this.folder = folder;
    this.#random = random;
    this.#host = host;
  }

  static async make(folder: string, random: SeededRandom): Promise<LabVms> {
    await mkdir(folder, { recursive: true });
    const vms = new LabVms(folder, random, await hostKinds(diskFormats).openSimulated(folder));
    for (const [index, plan] of PLANS.entries()) await vms.#makeVm(plan, index);
    return vms;
  }

  /** SHA-256 of the disks as they must be now. */
  hashes(name: string): DiskHashes {
    return this.#contents.get(name)!.map((content) => hash('sha256', content, 'hex'));
  }

  /** Writes some pieces to one disk, in one step, as the guest would. */
  async write(name: string): Promise<void> {
    const contents = this.#contents.get(name)!;
    const disk = this.#random.below(contents.length);
    const content = contents[disk]!;
    const pieces = Array.from({ length: 1 + this.#random.below(12) }, () => {
      const length = 512 * (1 + this.#random.below(this.#random.next() < 0.2 ? 1024 : 64));
      const offset = 512 * this.#random.below((content.length - length) / 512 + 1);
      return { offset, bytes: this.#random.next() < 0.15 ? Buffer.alloc(length) : this.#someBytes(length) };
    });
    const { id } = await this.#host.vmInFolder(name);
    await this.#host.write(id, {
      disk: `disk${disk}`,
      pieces: pieces.map(({ offset, bytes }) => ({ offset, length: bytes.length, content: { read: async () => bytes } })),
    });
    for (const { offset, bytes } of pieces) bytes.copy(content, offset);
  }

  /** Another state for the VM that is idle most of the time. */
  async changeState(): Promise<void> {
    const { id, state } = await this.#host.vmInFolder('idle');
    if (state === 'running') await this.#host.setState(id, this.#random.pick(['stop', 'save', 'pause']));
    else await this.#host.setState(id, 'start');
  }

  async start(name: string): Promise<void> {
    await this.#host.setState((await this.#host.vmInFolder(name)).id, 'start');
  }

  async state(name: string): Promise<string> {
    return (await this.#host.vmInFolder(name)).state;
  }

  /** The content of a folder's VM as its guest sees it. */
  async read(folderName: string): Promise<Buffer[]> {
    const contents: Buffer[] = [];
    for (const { path } of (await this.#host.vmInFolder(folderName)).disks) {
      await using source = await diskFormats.open(path);
      const bytes = Buffer.alloc(source.sizeBytes);
      await source.read(0, bytes);
      contents.push(bytes);
    }
    return contents;
  }

  /** Throws unless the guest of a VM sees exactly what it wrote. */
  async verify(name: string): Promise<void> {
    const found = await this.read(name);
    const expected = this.#contents.get(name)!;
    if (found.length !== expected.length || found.some((bytes, disk) => !bytes.equals(expected[disk]!)))
      throw new Error(`the disks of ${name} are not what its guest wrote`);
  }

  /** After a recovery to original that may have been killed: the disks are as before or as the point says, nothing in between. */
  async acceptRecovery(name: string, point: DiskHashes): Promise<void> {
    const found = await this.read(name);
    const hashes = found.map((bytes) => hash('sha256', bytes, 'hex'));
    if (!sameHashes(hashes, point) && !sameHashes(hashes, this.hashes(name)))
      throw new Error(`${name} is neither as it was nor as its recovery point`);
    this.#contents.set(name, found);
  }

  /** VMs that a recovery made; each must be whole. They are removed again. */
  async takeNewVms(allowed: DiskHashes): Promise<number> {
    let count = 0;
    for (const entry of await readdir(this.folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || this.names.includes(entry.name)) continue;
      const hashes = (await this.read(entry.name)).map((bytes) => hash('sha256', bytes, 'hex'));
      if (!sameHashes(hashes, allowed)) throw new Error(`the new VM in ${entry.name} is not what was recovered`);
      await rm(join(this.folder, entry.name), { recursive: true });
      count += 1;
    }
    return count;
  }

  /** Files that no VM uses and no kept-old disk explains: what a crash left. */
  async leftOver(): Promise<string[]> {
    const names = await readdir(this.folder, { recursive: true });
    return names.filter((name) => /\.avhdx?$|\.avhdx?\.|\.orphan$|\.tmp$|\.partial$/.test(name));
  }

  async #makeVm({ name, os, vss, state, disksMiB }: VmPlan, index: number): Promise<void> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    const contents: Buffer[] = [];
    const disks = [];
    for (const [disk, sizeMiB] of disksMiB.entries()) {
      const path = `disk${disk}.vhdx`;
      const content = Buffer.alloc(sizeMiB * MiB);
      const used = Math.floor(sizeMiB / 3) * MiB;
      this.#someBytes(used).copy(content);
      await using image = await diskFormats
        .get('vhdx')
        .create(join(folder, path), { sizeBytes: content.length, subformat: 'dynamic', blockSize: MiB });
      await image.write(0, content.subarray(0, used));
      await image.flush();
      await writeFile(join(folder, `${path}.rct.json`), JSON.stringify({ current: `${name}-${disk}-1`, history: [] }));
      contents.push(content);
      disks.push({ id: `d${disk}`, controller: 'scsi', path });
    }
    const id = `0000000${index}-1111-2222-3333-444444444444`;
    const integrationServices = { version: '10.0', vss };
    await writeFile(join(folder, 'vm.json'), JSON.stringify({ id, name, generation: 2, state, os, integrationServices, disks }));
    this.#contents.set(name, contents);
  }

  /** Half noise, half text that compresses. */
  #someBytes(length: number): Buffer {
    const bytes = Buffer.alloc(length, `text of the guest ${this.#random.below(1e6)} `);
    this.#random.bytes(Math.floor(length / 8) * 4).copy(bytes);
    return bytes;
  }
}

export function sameHashes(a: DiskHashes, b: DiskHashes): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
