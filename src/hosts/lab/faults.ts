import { join } from 'node:path';
import { z } from 'zod';
import { MabsError } from '../../lib/errors.ts';
import { readIfThere, removeFile, replaceJson } from './durable-json.ts';
import { LabVmInvalidError } from './vm-definition.ts';

/** What can be made to go wrong with a simulated VM, and what each does. */
export const FAULTS = {
  'capture-fails': 'a capture fails after it has begun',
  'merge-fails': 'the differencing disks of a capture cannot be merged',
  'tracking-lost': 'no disk has change tracking',
  'tracking-lies': 'change tracking leaves out every second changed range',
  'disk-read-error': 'the first disk cannot be read to its end while it is captured',
  'host-gone': 'the host answers one call about the VM and none after that; host-gone=N: N calls',
  'vss-fails': "the guest's VSS (fsfreeze on Linux) answers with an error",
} as const;

export type FaultName = keyof typeof FAULTS;

export class FaultUnknownError extends MabsError {
  readonly code = 'MABS-LAB-FAULT-UNKNOWN';
  readonly hint = `Faults are ${Object.keys(FAULTS).join(', ')}.`;
  override readonly kind = 'usage';
  constructor(fault: string) {
    super(`there is no fault ${JSON.stringify(fault)}`);
  }
}

/** The faults that are on for a VM, by name, each with its number where it has one. */
export type Faults = ReadonlyMap<FaultName, number | undefined>;

/** Reads the faults of a VM from `faults.json` in its folder: an array such as `["merge-fails", "host-gone=2"]`. */
export async function readFaults(vmFolder: string): Promise<Faults> {
  const content = await readIfThere(faultsFile(vmFolder));
  if (!content) return new Map();
  let texts: string[];
  try {
    texts = z.array(z.string()).parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    throw new LabVmInvalidError(faultsFile(vmFolder), 'is not an array of the names of faults', { cause });
  }
  return parseFaults(texts);
}

/** Switches faults on and off; answers those that are on then. */
export async function changeFaults(vmFolder: string, on: readonly string[], off: readonly string[]): Promise<Faults> {
  const faults = new Map([...(await readFaults(vmFolder)), ...parseFaults(on)]);
  for (const name of parseFaults(off.flatMap((fault) => (fault === 'all' ? Object.keys(FAULTS) : fault))).keys()) faults.delete(name);
  if (faults.size === 0) await removeFile(faultsFile(vmFolder));
  else await replaceJson(faultsFile(vmFolder), formatFaults(faults));
  return faults;
}

/** Faults as a person writes them. */
export function formatFaults(faults: Faults): string[] {
  return [...faults].map(([name, number]) => (number === undefined ? name : `${name}=${number}`));
}

function parseFaults(texts: readonly string[]): Map<FaultName, number | undefined> {
  return new Map(
    texts.map((text) => {
      const [, name, number] = /^([a-z-]+)(?:=(\d{1,9}))?$/.exec(text) ?? [];
      if (!name || !Object.hasOwn(FAULTS, name) || (number !== undefined && name !== 'host-gone')) throw new FaultUnknownError(text);
      return [name as FaultName, number === undefined ? undefined : Number(number)];
    }),
  );
}

function faultsFile(vmFolder: string): string {
  return join(vmFolder, 'faults.json');
}
