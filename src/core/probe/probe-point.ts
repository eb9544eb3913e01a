import { throwIfAborted } from '../../lib/errors.ts';
import type { OpenedMachine } from '../inside/opened-machine.ts';
import { openPoint } from '../inside/opened-point.ts';
import { getWholePoint } from '../known-points.ts';
import type { Ports } from '../ports.ts';
import { type GuestFacts, probeGuest } from './probe-guest.ts';
import { failureOf, type ProbeCheck, type ProbeReport, worstOf } from './probe-report.ts';
import { type ProbedVolume, probePartitions, probeVolume } from './probe-volumes.ts';

export interface ProbeOptions {
  readonly signal?: AbortSignal;
  /** What is looked at. */
  readonly onStep?: (what: string) => void;
}

/** Looks whether a recovery point is one that its guest could start from, without starting it: see `probeMachine`. */
export async function probePoint(ports: Ports, text: string, options: ProbeOptions = {}): Promise<ProbeReport> {
  const point = await getWholePoint(ports, text);
  const { disks, vm } = point.manifest;
  await using machine = openPoint(ports, point);
  const indexes = disks.map(({ index }) => index);
  return await probeMachine(ports, machine, { disks: indexes, generation: vm.generation, os: vm.os }, options);
}

/**
 * Looks at partition tables, file systems, and what the operating systems on them need to start. Reads structures and the beginnings
 * of some files, and changes nothing. Damage is told as a check that failed; only what has nothing to do with the disks rejects.
 */
export async function probeMachine(
  ports: Pick<Ports, 'diskFormats'>,
  machine: OpenedMachine,
  facts: GuestFacts & { readonly disks: readonly number[] },
  { signal, onStep = () => {} }: ProbeOptions = {},
): Promise<ProbeReport> {
  const checks: ProbeCheck[] = [];
  for (const disk of facts.disks) {
    throwIfAborted(signal);
    checks.push(await probePartitions(ports.diskFormats, machine, disk));
  }
  const volumes: ProbedVolume[] = [];
  for (const volume of await volumesOf(machine, checks)) {
    throwIfAborted(signal);
    onStep(volume.address);
    const looked = await probeVolume(machine, volume);
    if (looked.probed) volumes.push(looked.probed);
    checks.push(...looked.checks);
  }
  throwIfAborted(signal);
  onStep('guest system');
  const guest = await probeGuest(volumes, facts);
  checks.push(...guest.checks);
  return { status: worstOf(checks), systems: guest.systems, checks };
}

async function volumesOf(machine: OpenedMachine, checks: ProbeCheck[]) {
  try {
    return await machine.volumes({ type: 'all' });
  } catch (error) {
    checks.push({ name: 'volumes', place: '', ...failureOf(error) });
    return [];
  }
}
