import { basename, extname, isAbsolute, relative } from 'node:path';
import type { DiskFormatName, DiskFormats, DiskImageInfo } from '../../disks/disk-format.ts';
import { parseGuid } from '../../lib/guid.ts';
import type { HostDisk, HostVm } from '../host.ts';
import { onlineConsistency } from './consistency.ts';
import { diskPath, type LabVm, slashed, vmFile } from './lab-vm.ts';
import { type DiskDefinition, LabVmInvalidError } from './vm-definition.ts';

/** Longer chains of user checkpoints than Hyper-V's 50 are not followed. */
const LONGEST_CHAIN = 64;

/** A disk of a VM with what its image says of itself, and the images under it. */
export interface LabDisk extends HostDisk {
  readonly definition: DiskDefinition;
  readonly info: DiskImageInfo | undefined;
  /** Images under this one, nearest first: the parents of a user checkpoint's disk. */
  readonly parents: readonly { readonly path: string; readonly info: DiskImageInfo }[];
}

/** A VM's disks in their order. A disk that cannot be described says so and stays in the list. */
export async function describeDisks(diskFormats: DiskFormats, vm: LabVm): Promise<LabDisk[]> {
  const disks = await Promise.all(vm.definition.disks.map((definition) => describeDisk(diskFormats, vm, definition)));
  const byKey = Map.groupBy(disks, ({ key }) => key);
  const unique = disks.map((disk) =>
    byKey.get(disk.key)!.length > 1 && !disk.definition.id ? { ...disk, key: slashed(disk.definition.path) } : disk,
  );
  const twice = [...Map.groupBy(unique, ({ key }) => key)].find(([, same]) => same.length > 1);
  if (twice) throw new LabVmInvalidError(vmFile(vm.folder), `disks: two of them are ${JSON.stringify(twice[0])}`);
  return unique;
}

/** A VM in the words of the host port. */
export async function describeVm(diskFormats: DiskFormats, vm: LabVm): Promise<HostVm> {
  return hostVmOf(vm, await describeDisks(diskFormats, vm));
}

/** A VM whose disks were described already, in the words of the host port. */
export function hostVmOf(vm: LabVm, disks: readonly LabDisk[]): HostVm {
  const { id, name, generation, state, os, integrationServices, replication } = vm.definition;
  return {
    id,
    name,
    generation,
    state,
    os,
    ...(integrationServices && { integrationServices: { version: integrationServices.version, vss: integrationServices.vss } }),
    disks: disks.map(({ key, controller, path, virtualSize, format, problem }) => ({
      key,
      controller,
      path,
      virtualSize,
      format,
      ...(problem !== undefined && { problem }),
    })),
    ...(replication && { replication: { mode: replication.mode, state: replication.state, health: replication.health } }),
    hostCheckpoints: userCheckpoints(disks),
    consistency: onlineConsistency(vm.definition),
    configuration: vm.raw,
  };
}

/** Whether an image is the leaf that a user checkpoint made: a differencing disk named like Hyper-V names them. */
export function isCheckpointDisk({ path, info }: { readonly path: string; readonly info: DiskImageInfo | undefined }): boolean {
  return info?.subformat === 'differencing' && /^\.avhdx?$/i.test(extname(path));
}

async function describeDisk(diskFormats: DiskFormats, vm: LabVm, definition: DiskDefinition): Promise<LabDisk> {
  const path = diskPath(vm, definition);
  const base = { definition, controller: definition.controller, path };
  try {
    const info = await diskFormats.describe(path);
    const parents = await describeParents(diskFormats, info);
    const key = definition.id === undefined ? keyByPath(vm, definition, path, info, parents) : keyOfId(definition.id);
    const { virtualSize, format } = info;
    const problem = [info, ...parents.map((parent) => parent.info)].find(({ parent }) => parent && parent.status !== 'found')?.parent;
    return {
      ...base,
      key,
      virtualSize,
      format,
      info,
      parents,
      ...(problem && { problem: `its parent ${problem.path} is ${problem.status}` }),
    };
  } catch (error) {
    const key = definition.id === undefined ? slashed(definition.path) : keyOfId(definition.id);
    return { ...base, key, virtualSize: 0, format: formatByName(path), info: undefined, parents: [], problem: (error as Error).message };
  }
}

async function describeParents(diskFormats: DiskFormats, leaf: DiskImageInfo): Promise<LabDisk['parents']> {
  const parents: { path: string; info: DiskImageInfo }[] = [];
  for (let info = leaf; info.parent?.status === 'found' && parents.length < LONGEST_CHAIN; ) {
    const path: string = info.parent.path;
    info = await diskFormats.describe(path);
    parents.push({ path, info });
  }
  return parents;
}

/** A user checkpoint puts a new leaf over a disk, which stays the same disk: it is known by the lowest image of its chain. */
function keyByPath(vm: LabVm, definition: DiskDefinition, path: string, info: DiskImageInfo, parents: LabDisk['parents']): string {
  const root = parents.at(-1);
  if (!root || !isCheckpointDisk({ path, info })) return slashed(definition.path);
  const fromFolder = relative(vm.folder, root.path);
  return isAbsolute(fromFolder) ? root.path : slashed(fromFolder);
}

function keyOfId(id: string): string {
  return parseGuid(id) ?? id;
}

function userCheckpoints(disks: readonly LabDisk[]): HostVm['hostCheckpoints'] {
  const names = disks.flatMap((disk) =>
    [disk, ...disk.parents].filter(isCheckpointDisk).map(({ path, info }) => ({ id: info?.diskId ?? path, name: basename(path) })),
  );
  return [...new Map(names.map((checkpoint) => [checkpoint.id, checkpoint])).values()];
}

function formatByName(path: string): DiskFormatName {
  const extension = extname(path).toLowerCase();
  if (extension === '.vhd' || extension === '.avhd') return 'vhd';
  return extension === '.vhdx' || extension === '.avhdx' ? 'vhdx' : 'raw';
}
