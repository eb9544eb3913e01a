import type { FileSystem } from '../../filesystems/file-system.ts';
import { failureOf, type GuestSystem, type ProbeCheck } from './probe-report.ts';
import { faultOf, fileAt, filesMatching, firstFile, headOf } from './probed-files.ts';

const RELEASE_FILES = ['/etc/os-release', '/usr/lib/os-release'];
const KERNEL = /^(vmlinuz|vmlinux|bzimage|kernel|linux)([-_.].*)?$/i;
const INITRD = /^(initrd|initramfs)/i;
/** Where kernels lie in their volume: `/boot` of the root's, the root of a volume of their own. */
const BOOT_FOLDERS = ['/boot', '/'];

/** Whether Linux is installed on a volume. */
export async function hasLinux(system: FileSystem): Promise<boolean> {
  return (await firstFile(system, [...RELEASE_FILES, '/etc/fstab'])) !== undefined;
}

/** Which Linux it is, as os-release(5) says. */
export async function linuxVersion(system: FileSystem, place: string): Promise<GuestSystem | undefined> {
  const file = await firstFile(system, RELEASE_FILES);
  if (!file) return undefined;
  const values = releaseValues(Buffer.from(await headOf(system, file.node)).toString('utf8'));
  const name = values.get('PRETTY_NAME') ?? values.get('NAME');
  if (name === undefined) return undefined;
  const version = values.get('VERSION_ID');
  return { family: 'linux', name, ...(version !== undefined && { version }), place };
}

/** `NAME=value` a line, the value quoted as a shell wants it. */
function releaseValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(.*?)\s*$/.exec(line);
    if (!match) continue;
    const bare = match[2]!.replace(/^(["'])(.*)\1$/, '$2').replaceAll(/\\(["'$`\\])/g, '$1');
    if (bare !== '') values.set(match[1]!, bare);
  }
  return values;
}

/** `/etc/fstab` of the root's volume. */
export async function checkFstab(system: FileSystem, place: string): Promise<ProbeCheck> {
  const told = { name: 'system files', place } as const;
  try {
    const file = await fileAt(system, '/etc/fstab');
    if (file?.type !== 'file') return { ...told, status: 'warn', detail: 'there is no /etc/fstab' };
    // An empty one is how many images come.
    const fault = file.size === 0 ? undefined : await faultOf(system, file);
    return { ...told, status: fault ? 'failed' : 'ok', detail: fault ? `/etc/fstab ${fault}` : '/etc/fstab is there' };
  } catch (error) {
    return { ...told, ...failureOf(error) };
  }
}

/** What a Linux starts from, as far as it lies on one volume: paths, and what is wrong with some. */
export interface LinuxBootFiles {
  readonly kernels: readonly string[];
  readonly initrds: readonly string[];
  readonly loaders: readonly string[];
  readonly faults: readonly string[];
}

/** Kernels, initial RAM disks and boot loaders on a volume; unified kernel images count as both of the first. */
export async function linuxBootFiles(system: FileSystem): Promise<LinuxBootFiles> {
  const faults: string[] = [];
  const sound = async (files: Awaited<ReturnType<typeof filesMatching>>) => {
    const paths: string[] = [];
    for (const { path, node } of files) {
      const fault = await faultOf(system, node).catch((error) => failureOf(error).detail);
      if (fault === undefined) paths.push(path);
      else faults.push(`${path} ${fault}`);
    }
    return paths;
  };
  const matching = async (pattern: RegExp) =>
    (await Promise.all(BOOT_FOLDERS.map((folder) => filesMatching(system, folder, pattern)))).flat();
  const unified = await sound(await filesMatching(system, '/EFI/Linux', /\.efi$/i));
  const kernels = [...(await sound(await matching(KERNEL))), ...unified];
  const initrds = [...(await sound(await matching(INITRD))), ...unified];
  return { kernels, initrds, loaders: await loadersOn(system), faults };
}

const LOADER_FILE = /^(grub|shim|systemd-boot|boot(x64|aa64|ia32)|elilo|refind).*\.efi$/i;
const LOADER_FOLDERS = ['/boot/grub', '/boot/grub2', '/grub', '/grub2', '/boot/extlinux', '/extlinux', '/boot/syslinux', '/loader'];

async function loadersOn(system: FileSystem): Promise<string[]> {
  const found: string[] = [];
  for (const top of ['/EFI', '/boot/efi/EFI']) {
    const directory = await fileAt(system, top);
    if (directory?.type !== 'dir') continue;
    for await (const { name } of system.list(directory)) {
      if (found.length >= 100) return found;
      found.push(...(await filesMatching(system, `${top}/${name}`, LOADER_FILE)).map(({ path }) => path));
    }
  }
  for (const folder of LOADER_FOLDERS) if ((await fileAt(system, folder))?.type === 'dir') found.push(folder);
  return found;
}
