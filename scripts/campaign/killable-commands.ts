import { join } from 'node:path';
import type { ListedPoint } from './known-points.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A command that is going to be killed. */
export interface KillableCommand {
  readonly kind: string;
  readonly words: readonly string[];
  /** The guest may go on writing meanwhile. */
  readonly writesMeanwhile?: boolean;
  /** The replica is frozen as it is: not what the VM is now. */
  readonly freezesReplica?: boolean;
  /** The point that goes. */
  readonly removes?: string;
  /** The point that takes the place of the VM's disks, or becomes a new VM. */
  readonly brings?: ListedPoint;
  /** Points are removed and many blocks changed first, so that a prune has work. */
  readonly needsGarbage?: boolean;
  /** Runs in a home of its own that takes the pool over. */
  readonly movesHome?: boolean;
}

export interface Situation {
  readonly vm: string;
  readonly points: readonly ListedPoint[];
  readonly folder: string;
  readonly pool: string;
  readonly run: number;
  /** What an encrypted pool needs to be opened. */
  readonly withKey: readonly string[];
}

type Choice = readonly [weight: number, make: (situation: Situation, random: SeededRandom) => KillableCommand];

const CHOICES: readonly Choice[] = [
  [22, ({ vm }) => ({ kind: 'sync', words: ['sync', vm], writesMeanwhile: true })],
  [20, ({ vm }) => ({ kind: 'checkpoint', words: ['checkpoint', vm], writesMeanwhile: true })],
  [3, ({ vm }) => ({ kind: 'checkpoint --no-sync', words: ['checkpoint', vm, '--no-sync'], freezesReplica: true })],
  [8, ({ vm }) => ({ kind: 'consistency-check', words: ['consistency-check', vm], writesMeanwhile: true })],
  [6, (situation, random) => recoverToFolder(situation, random)],
  [
    9,
    ({ vm, points }, random) => {
      const point = random.pick(points.filter((each) => each.vm === vm));
      return { kind: 'recover original', words: ['recover', point.id, '--to', 'original', '--keep-old', '1s', '--yes'], brings: point };
    },
  ],
  [
    5,
    ({ points, run }, random) => {
      const point = random.pick(points);
      return { kind: 'recover host', words: ['recover', point.id, '--to', 'host:hv', '--name', `new-${run}`], brings: point };
    },
  ],
  [16, () => ({ kind: 'prune', words: ['pool', 'prune', 'main', '--empty-trash', '--yes'], needsGarbage: true })],
  [
    4,
    ({ points }, random) => {
      const free = removable(points);
      if (free.length < 4) return { kind: 'point hold', words: ['point', 'hold', random.pick(points).id, '--reason', 'campaign'] };
      const { id } = random.pick(free);
      return { kind: 'point remove', words: ['point', 'remove', id, '--yes'], removes: id };
    },
  ],
  [2, (_, random) => ({ kind: 'protect', words: ['protect', '--group', 'all', '--retention', `${10 + random.below(50)}d`, '--yes'] })],
  [2, ({ points }, random) => ({ kind: 'point hold', words: ['point', 'hold', random.pick(points).id, '--reason', 'campaign'] })],
  [3, () => ({ kind: 'pool check', words: ['pool', 'check', 'main'] })],
  [
    3,
    ({ pool, withKey }) => ({
      kind: 'pool import',
      words: ['pool', 'import', '--path', pool, '--name', 'main', ...withKey],
      movesHome: true,
    }),
  ],
];

export function pickCommand(situation: Situation, random: SeededRandom): KillableCommand {
  let left = random.next() * CHOICES.reduce((sum, [weight]) => sum + weight, 0);
  const [, make] = CHOICES.find(([weight]) => {
    left -= weight;
    return left < 0;
  })!;
  return make(situation, random);
}

/** Points that may go: nobody holds them, and their VM keeps another. */
export function removable(points: readonly ListedPoint[]): ListedPoint[] {
  return points.filter(({ vm, id, held }) => !held && points.some((other) => other.vm === vm && other.id !== id));
}

function recoverToFolder({ points, folder, run }: Situation, random: SeededRandom): KillableCommand {
  const format = random.pick(['vhdx', 'vhd', 'raw']);
  const target = `folder:${join(folder, 'targets', String(run))}`;
  return { kind: 'recover folder', words: ['recover', random.pick(points).id, '--to', target, '--format', format] };
}
