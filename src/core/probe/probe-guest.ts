import type { FileSystem } from '../../filesystems/file-system.ts';
import { checkFstab, hasLinux, type LinuxBootFiles, linuxBootFiles, linuxVersion } from './probe-linux.ts';
import { failureOf, type GuestSystem, type ProbeCheck } from './probe-report.ts';
import type { ProbedVolume } from './probe-volumes.ts';
import { checkWindowsFiles, hasWindows, SOFTWARE_HIVE, windowsBootManagers, windowsVersion } from './probe-windows.ts';

export interface GuestFacts {
  readonly generation: 1 | 2;
  /** `windows`, `linux` or something else. */
  readonly os: string;
}

export interface GuestProbe {
  readonly systems: readonly GuestSystem[];
  readonly checks: readonly ProbeCheck[];
}

const UNNAMED_LINUX = 'Linux';

interface ReadVolume {
  readonly place: string;
  readonly system: FileSystem;
}

/** The operating systems on a machine's volumes, and whether what they need to start is there. A machine of data alone is sound. */
export async function probeGuest(volumes: readonly ProbedVolume[], facts: GuestFacts): Promise<GuestProbe> {
  const readable = volumes.flatMap(({ volume, system }): ReadVolume[] => (system ? [{ place: volume.address, system }] : []));
  const hidden = volumes.length > readable.length;
  const checks: ProbeCheck[] = [];
  const systems: GuestSystem[] = [];
  let windows = false;
  let linux = false;
  for (const { place, system } of readable) {
    const attempt = attemptAt(checks, place);
    if (await attempt(() => hasWindows(system))) {
      windows = true;
      checks.push(...(await checkWindowsFiles(system, place)));
      systems.push((await attempt(() => windowsVersion(system, place), SOFTWARE_HIVE)) ?? { family: 'windows', name: 'Windows', place });
    } else if (system.names === 'bytes' && (await attempt(() => hasLinux(system)))) {
      linux = true;
      checks.push(await checkFstab(system, place));
      systems.push((await attempt(() => linuxVersion(system, place))) ?? { family: 'linux', name: UNNAMED_LINUX, place });
    }
  }
  if (windows) checks.push(...(await checkWindowsBoot(readable, facts, hidden)));
  // What has an fstab and does not say which Linux it is may be a volume of data, or made by hand.
  const installed = systems.some(({ family, name }) => family === 'linux' && name !== UNNAMED_LINUX);
  if (linux) checks.push(...(await checkLinuxBoot(readable, hidden || !installed)));
  return { systems, checks: [guestCheck(systems, facts, hidden), ...checks] };
}

/** Runs a look at a volume; what goes wrong is a check of its own. */
function attemptAt(checks: ProbeCheck[], place: string) {
  return async <T>(look: () => Promise<T>, file?: string): Promise<T | undefined> => {
    try {
      return await look();
    } catch (error) {
      checks.push({ name: 'system files', place, ...failureOf(error, file) });
      return undefined;
    }
  };
}

function guestCheck(systems: readonly GuestSystem[], { os }: GuestFacts, hidden: boolean): ProbeCheck {
  const told = { name: 'guest system', place: '' } as const;
  if (systems.length > 0) {
    const names = systems.map(({ name, version, build }) =>
      [name, version !== undefined && !name.includes(version) && version, build && `build ${build}`].filter(Boolean).join(', '),
    );
    return { ...told, status: 'ok', detail: names.join('; ') };
  }
  const detail = hidden ? 'none found on the volumes that can be read' : 'none found: the disks hold data alone';
  return { ...told, status: os === 'windows' || os === 'linux' ? 'warn' : 'ok', detail };
}

async function checkWindowsBoot(volumes: readonly ReadVolume[], { generation }: GuestFacts, hidden: boolean): Promise<ProbeCheck[]> {
  const checks: ProbeCheck[] = [];
  const wanted = generation === 2 ? 'efi' : 'bios';
  const found: { place: string; kind: 'bios' | 'efi'; path: string; fault?: string }[] = [];
  for (const { place, system } of volumes) {
    const managers = await attemptAt(checks, place)(() => windowsBootManagers(system));
    found.push(...(managers ?? []).map((manager) => ({ place, ...manager })));
  }
  const best =
    found.find(({ kind, fault }) => kind === wanted && fault === undefined) ?? found.find(({ kind }) => kind === wanted) ?? found[0];
  const told = { name: 'boot loader', place: best?.place ?? '' } as const;
  if (!best) return [...checks, { ...told, status: hidden ? 'warn' : 'failed', detail: 'there is neither /bootmgr nor bootmgfw.efi' }];
  if (best.fault) return [...checks, { ...told, status: 'failed', detail: `${best.path} ${best.fault}` }];
  if (best.kind !== wanted) {
    return [
      ...checks,
      { ...told, status: 'warn', detail: `${best.path} is there, which a VM of generation ${generation} does not start from` },
    ];
  }
  return [...checks, { ...told, status: 'ok', detail: `${best.path} is there` }];
}

async function checkLinuxBoot(volumes: readonly ReadVolume[], mayLack: boolean): Promise<ProbeCheck[]> {
  const checks: ProbeCheck[] = [];
  const found: (LinuxBootFiles & { readonly place: string })[] = [];
  for (const { place, system } of volumes) {
    const files = await attemptAt(checks, place)(() => linuxBootFiles(system));
    if (!files) continue;
    found.push({ place, ...files });
    for (const fault of files.faults) checks.push({ name: 'system files', place, status: 'failed', detail: fault });
  }
  const part = (
    name: 'system files' | 'boot loader',
    what: string,
    pick: (files: LinuxBootFiles) => readonly string[],
    missing: 'warn' | 'failed',
  ) => {
    const at = found.find((files) => pick(files).length > 0);
    const detail = at ? `${what}: ${pick(at).slice(0, 3).join(', ')}` : `no ${what} was found`;
    checks.push({ name, place: at?.place ?? '', status: at ? 'ok' : mayLack ? 'warn' : missing, detail });
  };
  // Some systems start without an initial RAM disk, or from a loader of their own.
  part('system files', 'kernel', ({ kernels }) => kernels, 'failed');
  part('system files', 'initial RAM disk', ({ initrds }) => initrds, 'warn');
  part('boot loader', 'boot loader', ({ loaders }) => loaders, 'warn');
  return checks;
}
