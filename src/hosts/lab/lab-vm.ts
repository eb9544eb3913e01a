import { readdir } from 'node:fs/promises';
import { isAbsolute, join, posix, resolve } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { parseGuid } from '../../lib/guid.ts';
import { HostUnreachableError, HostVmUnknownError } from '../host.ts';
import { readIfThere, replaceJson } from './durable-json.ts';
import { type DiskDefinition, LabVmInvalidError, parseVmDefinition, type VmDefinition } from './vm-definition.ts';

/** A simulated VM as its folder says. */
export interface LabVm {
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly folderName: string;
  readonly definition: VmDefinition & { readonly name: string };
  /** `vm.json` as it was written, with keys that mabs does not know. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
}

/** A folder whose `vm.json` cannot be used. */
export interface BrokenVm {
  readonly folderName: string;
  readonly error: LabVmInvalidError;
}

/**
 * Reads every VM of a host's folder, in the order of the folders' names. A broken one hides no other. A folder without `vm.json` is
 * no VM. MABS-HOST-UNREACHABLE when the host's folder is not there.
 */
export async function readVms(hostName: string, path: string): Promise<{ vms: LabVm[]; broken: BrokenVm[] }> {
  const vms: LabVm[] = [];
  const broken: BrokenVm[] = [];
  for (const folderName of await listFolders(hostName, path)) {
    try {
      const vm = await readVm(path, folderName);
      if (!vm) continue;
      const twin = vms.find((other) => other.definition.id === vm.definition.id);
      if (twin) throw new LabVmInvalidError(vmFile(vm.folder), `id: ${twin.folderName} has the same id ${vm.definition.id}`);
      vms.push(vm);
    } catch (error) {
      if (!(error instanceof LabVmInvalidError)) throw error;
      broken.push({ folderName, error });
    }
  }
  return { vms, broken };
}

/** Finds a VM by its id, in braces or not, in any case. MABS-HOST-VM-UNKNOWN; the error of a broken folder of that name. */
export async function findVm(hostName: string, path: string, vmId: string): Promise<LabVm> {
  const wanted = parseGuid(vmId) ?? vmId.toLowerCase();
  const { vms, broken } = await readVms(hostName, path);
  const found = vms.find(({ definition }) => definition.id === wanted);
  if (found) return found;
  throw broken.find(({ folderName }) => folderName === vmId)?.error ?? new HostVmUnknownError(hostName, vmId);
}

/** Reads the VM in one folder; `undefined` when it holds none. */
export async function readVm(path: string, folderName: string): Promise<LabVm | undefined> {
  const folder = join(path, folderName);
  const file = vmFile(folder);
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readIfThere(file);
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOTDIR') return undefined;
    throw new LabVmInvalidError(file, `cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (!bytes) return undefined;
  const { definition, raw } = parseVmDefinition(bytes, file, folderName);
  return { folder, folderName, definition, raw: raw as Record<string, unknown>, bytes };
}

/** Replaces a VM's definition in one step; keys that are not in `changes` stay as they were written. */
export async function rewriteVm(vm: Pick<LabVm, 'folder' | 'raw'>, changes: Readonly<Record<string, unknown>>): Promise<void> {
  await replaceJson(vmFile(vm.folder), { ...vm.raw, ...changes });
}

/** Absolute path of a disk's image, symbolic links not resolved. */
export function diskPath(vm: Pick<LabVm, 'folder'>, disk: Pick<DiskDefinition, 'path'>): string {
  return isAbsolute(disk.path) ? disk.path : resolve(vm.folder, slashed(disk.path));
}

/** A path as part of a disk's identity: `/` between its parts, no `./`. */
export function slashed(path: string): string {
  return posix.normalize(path.replaceAll('\\', '/'));
}

export function vmFile(folder: string): string {
  return join(folder, 'vm.json');
}

async function listFolders(hostName: string, path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const folders = entries.filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()));
    return folders.map(({ name }) => name).sort();
  } catch (cause) {
    const why = systemErrorCode(cause) === 'ENOENT' ? `its folder ${path} is not there` : (cause as Error).message;
    throw new HostUnreachableError(hostName, why, { cause });
  }
}
