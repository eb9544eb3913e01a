import { type KnownPoint, pointVm } from '../known-points.ts';
import type { Ports } from '../ports.ts';
import { OpenedMachine } from './opened-machine.ts';

/** The disks of a recovery point, read straight from its pool. Each is opened when something on it is first asked for. */
export function openPoint(ports: Ports, point: KnownPoint): OpenedMachine {
  const { manifest, poolName } = point;
  const disks = manifest.disks.map((disk) => ({
    index: disk.index,
    open: async () => (await ports.openPool(poolName)).openDisk(disk),
  }));
  return new OpenedMachine(`${pointVm(point)}@${manifest.id.slice(0, 8)}`, ports, disks);
}
