import { checkpoint } from '../../src/core/checkpoint.ts';
import type { Ports } from '../../src/core/ports.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { type AVm, aJobHome, type JobHome } from './job-home.ts';
import { type Tree, treeFileSystems, treeVolume } from './tree-volume.ts';

/** A home whose VMs keep made-up file systems (see `treeVolume`) on whole disks: points of files in a few lines. */
export interface TreeHome extends AsyncDisposable {
  readonly home: JobHome;
  readonly ports: Ports;
  /** Replaces what lies on a disk. */
  put(vm: string, disk: number, tree: Tree): Promise<void>;
  /** A recovery point of every VM; answers the ids of the new points, in the order of the VMs. */
  point(): Promise<string[]>;
}

export async function aTreeHome(vms: readonly AVm[] = [{ name: 'web', state: 'off' }]): Promise<TreeHome> {
  const home = await aJobHome(vms);
  const ports: Ports = { ...home.ports, fileSystems: treeFileSystems };
  treeFileSystems.opened = 0;
  await applyProtect(ports, await planProtect(ports, { group: 'all', members: vms.map(({ name }) => `hv1/${name}`), policy: {} }));
  return {
    home,
    ports,
    put: (vm, disk, tree) => home.write(vm, disk, 0, treeVolume(tree)),
    async point() {
      await checkpoint(ports, { all: true });
      const points = [...home.pool.live.values()].filter(({ kind }) => kind === 'point').slice(-vms.length);
      return vms.map(({ name }) => points.find(({ vm }) => vm.name === name)!.id);
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
