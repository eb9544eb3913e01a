import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { diskFormats } from '../../src/disks/registry.ts';
import type { CaptureRequest, Host, SimulatedHost } from '../../src/hosts/host.ts';
import type { LabContext } from '../../src/hosts/lab/lab-context.ts';
import { openLabHost } from '../../src/hosts/lab/lab-host.ts';
import { openSimulatedLab } from '../../src/hosts/lab/simulated-lab.ts';
import { createSqliteLocks } from '../../src/lib/sqlite-locks.ts';

const MiB = 1024 ** 2;

/** A VM to make: what is not said is a running Windows VM with one small dynamic VHDX and change tracking. */
export interface VmSketch {
  readonly folder: string;
  readonly definition?: Readonly<Record<string, unknown>>;
  readonly disks?: readonly { readonly path: string; readonly sizeBytes?: number; readonly tracked?: boolean }[];
}

export interface TestLab extends AsyncDisposable {
  readonly path: string;
  readonly host: Host;
  readonly simulated: SimulatedHost;
  readonly context: LabContext;
  /** The same folder as another process would open it. */
  reopen(overrides?: Partial<LabContext>): { readonly host: Host; readonly simulated: SimulatedHost };
  file(...parts: string[]): string;
  definition(folder: string): Promise<Record<string, unknown> & { disks: { id?: string; path: string }[] }>;
}

/** A lab in a temporary folder, with real disks and real locks. */
export async function aLab(vms: readonly VmSketch[] = [{ folder: 'vm' }], overrides: Partial<LabContext> = {}): Promise<TestLab> {
  const path = await mkdtemp(join(tmpdir(), 'mabs-lab-'));
  for (const vm of vms) await makeVm(path, vm);
  const context = labContext(path, overrides);
  return {
    path,
    context,
    host: openLabHost(context),
    simulated: openSimulatedLab(context),
    reopen(others = {}) {
      const another = labContext(path, { ...overrides, ...others });
      return { host: openLabHost(another), simulated: openSimulatedLab(another) };
    },
    file: (...parts) => join(path, ...parts),
    definition: async (folder) => JSON.parse(await readFile(join(path, folder, 'vm.json'), 'utf8')),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export function labContext(path: string, overrides: Partial<LabContext> = {}): LabContext {
  return {
    name: 'hv1',
    path,
    diskFormats,
    locks: createSqliteLocks(join(path, '.locks')),
    clock: { now: () => Date.UTC(2026, 10, 20, 18) },
    random: { bytes: (length) => new Uint8Array(length), uuid: () => randomUUID() },
    stepWaitMs: 5000,
    mergeRetriesMs: [],
    ...overrides,
  };
}

export async function makeVm(lab: string, { folder, definition = {}, disks = [{ path: 'disk0.vhdx' }] }: VmSketch): Promise<void> {
  await mkdir(join(lab, folder), { recursive: true });
  for (const { path, sizeBytes = 4 * MiB, tracked = true } of disks) {
    await mkdir(dirname(join(lab, folder, path)), { recursive: true });
    await makeDisk(join(lab, folder, path), sizeBytes);
    if (tracked) await writeFile(join(lab, folder, `${path}.rct.json`), JSON.stringify({ current: 'T0', history: [] }));
  }
  const whole = {
    id: randomUUID(),
    name: folder,
    generation: 2,
    state: 'running',
    os: 'windows',
    integrationServices: { version: '10.0', vss: true },
    disks: disks.map(({ path }) => ({ controller: 'scsi', path })),
    ...definition,
  };
  await writeFile(join(lab, folder, 'vm.json'), JSON.stringify(whole));
}

/** A dynamic image, or a differencing one over `parent`, of the format that the name tells. */
export async function makeDisk(path: string, sizeBytes = 4 * MiB, parent?: string): Promise<void> {
  const format = diskFormats.get(/\.a?vhd$/.test(path) ? 'vhd' : /\.a?vhdx$/.test(path) ? 'vhdx' : 'raw');
  const subformat = parent ? 'differencing' : format.name === 'raw' ? 'fixed' : 'dynamic';
  await using disk = await format.create(path, {
    sizeBytes,
    subformat,
    ...(format.name === 'vhdx' && { blockSize: MiB }),
    ...(parent && { parent }),
  });
  await disk.flush();
}

/** A write of `text` at a position of a disk. */
export function textAt(offset: number, text: string, disk = 'disk0') {
  return { disk, pieces: [{ offset, length: Buffer.byteLength(text), content: { read: async () => Buffer.from(text) } }] };
}

/** Writes into an image as a tool outside of the lab would. */
export async function writeInto(path: string, offset: number, text: string): Promise<void> {
  await using disk = await diskFormats.openForWriting(path);
  await disk.write(offset, Buffer.from(text));
  await disk.flush();
}

/** What stands at a position of an image. */
export async function textFrom(path: string, offset: number, length: number): Promise<string> {
  await using disk = await diskFormats.open(path);
  const bytes = new Uint8Array(length);
  await disk.read(offset, bytes);
  return Buffer.from(bytes).toString('utf8').replaceAll('\0', '.');
}

export function aCapture(overrides: Partial<CaptureRequest> = {}): CaptureRequest {
  return { captureId: randomUUID(), consistency: 'prefer-application', whenNotOnline: 'pause', journal: async () => {}, ...overrides };
}
