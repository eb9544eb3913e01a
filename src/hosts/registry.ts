import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DiskFormats } from '../disks/disk-format.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MabsError } from '../lib/errors.ts';
import { makeFolders } from '../lib/make-folders.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { createSqliteLocks } from '../lib/sqlite-locks.ts';
import { type HostKinds, HostUnreachableError } from './host.ts';
import type { LabContext } from './lab/lab-context.ts';
import { openLabHost } from './lab/lab-host.ts';
import { openSimulatedLab } from './lab/simulated-lab.ts';

/** This program cannot reach hosts of the kind that was configured. */
export class HostTypeUnavailableError extends MabsError {
  readonly code = 'MABS-HOST-TYPE-UNAVAILABLE';
  readonly hint = 'This version reaches hosts of the type lab.';
  override readonly kind = 'prerequisite';
  constructor(name: string, type: string) {
    super(`host ${name} is of the type ${type}, which cannot be reached from here`);
  }
}

/** Every kind of host that mabs knows. */
export function hostKinds(diskFormats: DiskFormats, clock: Clock = systemClock, random: Random = systemRandom): HostKinds {
  const lab = (name: string, path: string): LabContext => ({
    name,
    path: resolve(path),
    diskFormats,
    locks: createSqliteLocks(join(resolve(path), '.locks')),
    clock,
    random,
    stepWaitMs: 60_000,
    mergeRetriesMs: [50, 100, 200, 400, 800],
  });
  return {
    async open(configuration) {
      if (configuration.type !== 'lab') throw new HostTypeUnavailableError(configuration.name, configuration.type);
      return openLabHost(lab(configuration.name, configuration.path));
    },
    async openSimulated(path, { create = false } = {}) {
      if (create) await makeFolders(path);
      const isFolder = await stat(path).then(
        (status) => status.isDirectory(),
        () => false,
      );
      if (!isFolder) throw new HostUnreachableError(path, 'there is no such folder');
      return openSimulatedLab(lab(path, path));
    },
  };
}
