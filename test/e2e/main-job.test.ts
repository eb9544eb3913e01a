import { hash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkpoint } from '../../src/core/checkpoint.ts';
import { listGroups } from '../../src/core/groups.ts';
import { holdPoint } from '../../src/core/hold-point.ts';
import { initHome } from '../../src/core/home.ts';
import { addHost } from '../../src/core/hosts.ts';
import { writeToLab } from '../../src/core/lab-write.ts';
import type { OpenedPorts } from '../../src/core/open-ports.ts';
import { listPoints } from '../../src/core/points.ts';
import { addPool, importPool } from '../../src/core/pools.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { recover } from '../../src/core/recover.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';
import { implementations } from '../builders/implementations.ts';
import { hasQemuImg, qemuImg } from '../builders/qemu-img.ts';

const BLOCK = 256 * 1024;
const MiB = 2 ** 20;
const onlyWithQemu = hasQemuImg ? describe : describe.skip;
const sha256 = async (path: string) => hash('sha256', await readFile(path), 'hex');

/** Each step opens the home anew, as each command does. */
onlyWithQemu('the main job over disks made by qemu-img', () => {
  let home: TestHome;
  let lab: string;

  /** Two VMs with the same 64 MiB disk: one with change tracking, one without. */
  beforeAll(async () => {
    home = await aHome();
    lab = await home.makeFolder('lab');
    for (const [index, name] of ['tracked', 'scanned'].entries()) {
      await mkdir(join(lab, name));
      const id = `0000000${index}-aaaa-bbbb-cccc-000000000000`;
      await writeFile(join(lab, name, 'vm.json'), JSON.stringify({ id, name, state: 'off', os: 'linux', disks: [{ path: 'disk0.vhdx' }] }));
    }
    const source = join(home.folder, 'source.raw');
    const content = Buffer.alloc(64 * MiB);
    for (let at = 3 * MiB; at < 64 * MiB; at += 7 * MiB) content.fill(`some text at ${at} `, at, at + 2 * MiB);
    await writeFile(source, content);
    const disk = join(lab, 'tracked', 'disk0.vhdx');
    await qemuImg('convert', '-O', 'vhdx', '-o', 'subformat=dynamic', source, disk);
    await rm(source);
    await cp(disk, join(lab, 'scanned', 'disk0.vhdx'));
    await writeFile(`${disk}.rct.json`, JSON.stringify({ current: 'first', history: [] }));
    await step(async (ports) => {
      await addHost(ports, { name: 'hv1', type: 'lab', path: lab });
      await addPool(ports, { name: 'main', path: join(home.folder, 'pool'), encrypt: false, compression: 'normal' });
      const members = ['hv1/tracked', 'hv1/scanned'];
      await applyProtect(ports, await planProtect(ports, { group: 'servers', members, policy: {} }));
    });
  });
  afterAll(async () => {
    await home[Symbol.asyncDispose]();
  });

  async function step<T>(run: (ports: OpenedPorts) => Promise<T>, homePath = home.homePath): Promise<T> {
    await using ports = await home.ports({ homePath });
    return await run(ports);
  }

  /** SHA-256 of a VM's disk as qemu-img reads it. */
  async function sourceHash(vm: string): Promise<string> {
    const raw = join(home.folder, `${vm}.raw`);
    await qemuImg('convert', '-O', 'raw', join(lab, vm, 'disk0.vhdx'), raw);
    const hashed = await sha256(raw);
    await rm(raw);
    return hashed;
  }

  /** What a guest writes in a day: the same bytes at the same places of both disks. */
  async function writeTheSameToBoth(day: number): Promise<void> {
    for (const vm of ['tracked', 'scanned']) {
      const write = { disk: '0', kind: 'scattered', count: 6, maxLength: 65_536, seed: String(day) } as const;
      await writeToLab({ hostKinds: implementations.hostKinds, ports: () => home.ports() }, join(lab, vm), write);
    }
  }

  it('makes points whose disks equal what qemu-img reads of each day; a scan finds the blocks that tracking finds', async () => {
    const expected = new Map<string, string>();
    for (let day = 0; day <= 3; day++) {
      if (day > 0) await writeTheSameToBoth(day);
      const { report } = await step((ports) => checkpoint(ports, { all: true }));
      const [tracked, scanned] = report.members;
      expect(tracked).toMatchObject({ vm: 'hv1/tracked', status: 'ok', consistency: 'offline', tracking: day === 0 ? 'initial' : 'rct' });
      expect(scanned).toMatchObject({ vm: 'hv1/scanned', status: 'ok', tracking: day === 0 ? 'initial' : 'scan' });
      expect(scanned!.blocksDiffering).toBe(tracked!.blocksDiffering);
      expect(scanned!.bytesTransferred).toBe(0);
      if (day > 0) expect(tracked!.bytesScanned).toBeLessThanOrEqual(tracked!.blocksDiffering * BLOCK);
      for (const { vm, pointId } of report.members) expected.set(pointId!, await sourceHash(vm.slice(4)));
    }
    const points = await step((ports) => listPoints(ports));
    expect(points).toHaveLength(8);
    for (const { id, vm, verifiedAt, disks } of points) {
      expect(verifiedAt).toBeDefined();
      expect(disks).toMatchObject([{ disk: 'disk0', virtualSize: 64 * MiB, leftOut: 0, root: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
      const out = join(home.folder, 'out', id);
      const report = await step((ports) => recover(ports, { point: `${vm}@${id}:/disk0`, to: `folder:${out}`, format: 'raw' }));
      expect(report).toMatchObject({ status: 'ok', disks: [{ disk: 'disk0', path: join(out, 'disk0.raw'), verified: true }] });
      expect(await sha256(report.disks[0]!.path)).toBe(expected.get(id));
      await rm(out, { recursive: true });
    }
  });

  it('writes VHDX and VHD that qemu-img finds sound and equal', async () => {
    const raw = join(home.folder, 'want.raw');
    const images = join(home.folder, 'images');
    await qemuImg('convert', '-O', 'raw', join(lab, 'tracked', 'disk0.vhdx'), raw);
    await step((ports) => recover(ports, { point: 'hv1/tracked@latest', to: `folder:${images}` }));
    await step((ports) => recover(ports, { point: 'hv1/tracked@latest:/disk0', to: `folder:${images}`, format: 'vhd' }));
    await qemuImg('check', '-f', 'vhdx', join(images, 'disk0.vhdx'));
    await qemuImg('compare', '-f', 'vhdx', '-F', 'raw', join(images, 'disk0.vhdx'), raw);
    await qemuImg('compare', '-f', 'vpc', '-F', 'raw', join(images, 'disk0.vhd'), raw);
  });

  it('brings points, holds and groups back from the pool alone, in a home that knows no host', async () => {
    const otherHome = join(home.folder, 'other-home');
    const [first] = await step((ports) => listPoints(ports));
    await step((ports) => holdPoint(ports, { point: first!.id, reason: 'audit', owner: 'ada' }));
    const before = await step((ports) => listPoints(ports));
    await initHome(otherHome, { clock: systemClock, random: systemRandom });
    await step((ports) => importPool(ports, { path: join(home.folder, 'pool') }), otherHome);
    expect(await step((ports) => listPoints(ports), otherHome)).toEqual(before);
    const [group] = await step((ports) => listGroups(ports), otherHome);
    expect(group!.group.members.map(({ vmName }) => vmName)).toEqual(['tracked', 'scanned']);
    const to = `folder:${join(home.folder, 'elsewhere')}`;
    const report = await step((ports) => recover(ports, { point: 'hv1/tracked@latest:/disk0', to, format: 'raw' }), otherHome);
    expect(await sha256(report.disks[0]!.path)).toBe(await sourceHash('tracked'));
  });
});
