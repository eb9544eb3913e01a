import { isAbsolute, join, relative, resolve } from 'node:path';
import { flushFolder } from '../../lib/durable-files.ts';
import type { HostRecovery, RecoveredVm } from '../host.ts';
import { startTracking } from './change-tracking.ts';
import { type LabContext, lockFolder } from './lab-context.ts';
import { rewriteVm, slashed } from './lab-vm.ts';
import { inFolder } from './overlays.ts';
import { freePath, makeFolder, type RecoveryFacts, removeTargets, safeName, targetName } from './recovery-files.ts';
import { vmDefinitionSchema } from './vm-definition.ts';

/** What a VM that is not on the host is made of. */
export interface NewVm {
  readonly recoveryId: string;
  readonly vm: RecoveredVm;
  readonly id: string;
  readonly name: string;
  /** Where the disks go, absolute or within the host's folder; beside `vm.json` when absent. */
  readonly path?: string;
  readonly start: boolean;
  /** Further keys of the definition; `undefined` drops one that was captured. */
  readonly keys: Readonly<Record<string, unknown>>;
  readonly journal: (facts: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** Begins to make a VM in a new folder. It is on the host once its `vm.json` is. */
export async function beginNewVm(lab: LabContext, wanted: NewVm): Promise<HostRecovery> {
  const noteFolders = (folderName: string, madeFolders: readonly string[]) =>
    wanted.journal({ recoveryId: wanted.recoveryId, folderName, madeFolders, targets: [] });
  const folderName = await makeFolder(lab.path, safeName(wanted.name), (name) => noteFolders(name, [name]));
  const folder = join(lab.path, folderName);
  const { diskFolder, madeFolders } = await makeDiskFolder(lab, folderName, wanted, (made) => noteFolders(folderName, [made, folderName]));
  const beside = slashed(relative(folder, diskFolder) || '.');
  const taken = new Set<string>();
  const targets: RecoveryFacts['targets'] = [];
  for (const { key, path, format } of wanted.vm.disks) {
    const name = targetName(path, format);
    const target = await freePath(folder, isAbsolute(beside) ? join(beside, name) : slashed(`${beside}/${name}`), taken);
    taken.add(target.toLowerCase());
    targets.push({ key, path: target, format });
  }
  const facts: RecoveryFacts = { recoveryId: wanted.recoveryId, folderName, madeFolders: [...madeFolders, folderName], targets };
  return {
    vmId: wanted.id,
    vmName: wanted.name,
    targets: targets.map(({ key, path, format }) => ({ key, format, path: inFolder({ folder }, path) })),
    facts,
    async apply() {
      await using _lock = await lockFolder(lab, folderName);
      for (const { path } of targets) await startTracking(inFolder({ folder }, path), lab.random.uuid());
      await flushFolder(diskFolder);
      await rewriteVm({ folder, raw: {} }, definitionOf(wanted, facts));
      return { paths: targets.map(({ key, path }) => ({ key, path: inFolder({ folder }, path) })), keptOld: [] };
    },
    abandon: () => removeTargets(lab, facts),
  };
}

/** The captured definition, as far as it is one of the lab's; of another kind of host nothing can be taken over. */
export function capturedDefinition(configuration: unknown): Record<string, unknown> {
  return vmDefinitionSchema.safeParse(configuration).success ? (configuration as Record<string, unknown>) : {};
}

async function makeDiskFolder(
  lab: LabContext,
  folderName: string,
  { path }: NewVm,
  note: (folder: string) => Promise<void>,
): Promise<{ diskFolder: string; madeFolders: string[] }> {
  const folder = join(lab.path, folderName);
  if (path === undefined || resolve(lab.path, path) === lab.path) return { diskFolder: folder, madeFolders: [] };
  const parent = resolve(lab.path, path);
  const diskFolder = join(parent, await makeFolder(parent, folderName, (name) => note(join(parent, name))));
  return { diskFolder, madeFolders: [diskFolder] };
}

function definitionOf({ vm, id, name, start, keys }: NewVm, { targets }: RecoveryFacts): Record<string, unknown> {
  const captured = capturedDefinition(vm.configuration);
  const rawDisks = (captured.disks ?? []) as Record<string, unknown>[];
  return {
    ...captured,
    ...keys,
    id,
    name,
    generation: vm.generation,
    state: start ? 'running' : 'off',
    crashed: undefined,
    disks: targets.map(({ path }, position) => {
      const { index, controller, key } = vm.disks[position]!;
      // The same VM made anew has the same disks, wherever they lie now.
      return { ...rawDisks[index], ...(id === vm.id && { id: rawDisks[index]?.id ?? key }), controller, path };
    }),
  };
}
