import type { FileSystem } from '../../filesystems/file-system.ts';
import { openRegistryHive, type RegistryKey } from '../../lib/registry-hive.ts';
import { failureOf, type GuestSystem, type ProbeCheck } from './probe-report.ts';
import { faultOf, fileAt, firstFile } from './probed-files.ts';

const SYSTEM32 = '/Windows/System32';
const SYSTEM_HIVE = `${SYSTEM32}/config/SYSTEM`;
export const SOFTWARE_HIVE = `${SYSTEM32}/config/SOFTWARE`;
const LOADERS = [`${SYSTEM32}/winload.efi`, `${SYSTEM32}/winload.exe`, `${SYSTEM32}/Boot/winload.efi`, `${SYSTEM32}/Boot/winload.exe`];
const BOOT_MANAGERS = { bios: '/bootmgr', efi: '/EFI/Microsoft/Boot/bootmgfw.efi' } as const;
/** From this build on a client is Windows 11, though its ProductName still says 10. */
const FIRST_BUILD_OF_11 = 22_000;

/** Whether Windows is installed on a volume. */
export async function hasWindows(system: FileSystem): Promise<boolean> {
  return (await fileAt(system, SYSTEM32))?.type === 'dir' && (await fileAt(system, `${SYSTEM32}/config`))?.type === 'dir';
}

/** The files without which an installed Windows does not start: its loader and the SYSTEM hive. */
export async function checkWindowsFiles(system: FileSystem, place: string): Promise<ProbeCheck[]> {
  return [await checkLoader(system, place), await checkSystemHive(system, place)];
}

async function checkLoader(system: FileSystem, place: string): Promise<ProbeCheck> {
  const told = { name: 'system files', place } as const;
  try {
    const loader = await firstFile(system, LOADERS);
    if (!loader) return { ...told, status: 'failed', detail: `there is neither winload.efi nor winload.exe in ${SYSTEM32}` };
    const fault = await faultOf(system, loader.node, 'MZ');
    return { ...told, status: fault ? 'failed' : 'ok', detail: fault ? `${loader.path} ${fault}` : `${loader.path} is there` };
  } catch (error) {
    return { ...told, ...failureOf(error) };
  }
}

async function checkSystemHive(system: FileSystem, place: string): Promise<ProbeCheck> {
  const told = { name: 'system files', place } as const;
  try {
    const file = await fileAt(system, SYSTEM_HIVE);
    if (file?.type !== 'file') return { ...told, status: 'failed', detail: `there is no ${SYSTEM_HIVE}` };
    const hive = await openRegistryHive(await system.open(file));
    await hive.findKey([]);
    return { ...told, status: 'ok', detail: `${SYSTEM_HIVE} is a registry hive${hive.dirty ? ', with changes in its logs' : ''}` };
  } catch (error) {
    return { ...told, ...failureOf(error, SYSTEM_HIVE) };
  }
}

/** Which Windows it is, as its SOFTWARE hive says; `undefined` where that does not tell. */
export async function windowsVersion(system: FileSystem, place: string): Promise<GuestSystem | undefined> {
  const file = await fileAt(system, SOFTWARE_HIVE);
  if (file?.type !== 'file') return undefined;
  const hive = await openRegistryHive(await system.open(file));
  const key = await hive.findKey(['Microsoft', 'Windows NT', 'CurrentVersion']);
  const product = key && (await textOf(key, 'ProductName'));
  if (!key || product === undefined) return undefined;
  const number = (await textOf(key, 'CurrentBuild')) ?? (await textOf(key, 'CurrentBuildNumber'));
  const revision = await key.findValue('UBR');
  const version = (await textOf(key, 'DisplayVersion')) ?? (await textOf(key, 'ReleaseId'));
  const isServer = (await textOf(key, 'InstallationType'))?.startsWith('Server') ?? product.includes('Server');
  const is11 = !isServer && Number(number) >= FIRST_BUILD_OF_11;
  return {
    family: 'windows',
    name: is11 ? product.replace(/^Windows 10\b/, 'Windows 11') : product,
    ...(version !== undefined && { version }),
    ...(number !== undefined && { build: typeof revision === 'number' ? `${number}.${revision}` : number }),
    place,
  };
}

async function textOf(key: RegistryKey, name: string): Promise<string | undefined> {
  const value = await key.findValue(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The boot managers of Windows that lie on a volume, and what is wrong with one. */
export async function windowsBootManagers(
  system: FileSystem,
): Promise<{ readonly kind: 'bios' | 'efi'; readonly path: string; readonly fault?: string }[]> {
  const found: { kind: 'bios' | 'efi'; path: string; fault?: string }[] = [];
  for (const [kind, path] of Object.entries(BOOT_MANAGERS) as ['bios' | 'efi', string][]) {
    const file = await fileAt(system, path);
    if (file?.type !== 'file') continue;
    const fault = await faultOf(system, file, kind === 'efi' ? 'MZ' : undefined);
    found.push({ kind, path, ...(fault !== undefined && { fault }) });
  }
  return found;
}
