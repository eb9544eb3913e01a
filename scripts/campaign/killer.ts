import type { Mabs } from './mabs.ts';
import type { SeededRandom } from './seeded-random.ts';
import { watchWork } from './watch-work.ts';

/** How long a kind of command takes when nobody kills it. */
interface Course {
  readonly milliseconds: number;
  /** Changes of files that it makes. */
  readonly changes: number;
}

export interface KillOutcome {
  readonly killed: boolean;
  /** It had begun to change files. */
  readonly working: boolean;
}

/**
 * Kills commands at random moments of their work. The first run of each kind is left alone and measured. A kill then comes right
 * after the n-th change of a file that the command makes, or a few milliseconds later: half of them anywhere, half in the last part, where
 * it commits and cleans up; one in six by the clock alone, for phases that change nothing.
 */
export class Killer {
  readonly #random: SeededRandom;
  readonly #courses = new Map<string, Course>();
  readonly tally = { killed: 0, whileWorking: 0, ended: 0 };

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** `roots`: folders in which the command changes files. Rejects when the command fails by itself. */
  async run(mabs: Mabs, kind: string, words: readonly string[], roots: readonly string[]): Promise<KillOutcome> {
    const course = this.#courses.get(kind);
    const aim = course && this.#aim(course);
    let timer: NodeJS.Timeout | undefined;
    let kill = () => {};
    const watch = await watchWork(roots, (count) => {
      if (aim?.change === undefined || count < aim.change || timer) return;
      timer = setTimeout(() => kill(), aim.delayMs);
      if (aim.delayMs === 0) kill();
    });
    const started = performance.now();
    const { child, ended } = mabs.start(words);
    kill = () => child.kill('SIGKILL');
    if (aim && aim.change === undefined) timer = setTimeout(kill, aim.delayMs);
    try {
      const { exitCode, signal, stderr } = await ended;
      const killed = signal === 'SIGKILL';
      if (!killed && exitCode !== 0) throw new Error(`mabs ${words.join(' ')} ended with ${exitCode ?? signal}: ${stderr}`);
      if (!killed) this.#courses.set(kind, { milliseconds: performance.now() - started, changes: watch.count });
      const working = killed && watch.count > 0;
      if (killed) this.tally.killed += 1;
      else this.tally.ended += 1;
      if (working) this.tally.whileWorking += 1;
      return { killed, working };
    } finally {
      clearTimeout(timer);
      watch.close();
    }
  }

  #aim({ milliseconds, changes }: Course): { readonly change?: number; readonly delayMs: number } {
    const { next, below } = this.#random;
    if (changes === 0 || next() < 0.17) return { delayMs: next() * milliseconds };
    const from = next() < 0.5 ? 0 : Math.floor(changes * 0.6);
    return { change: 1 + from + below(Math.max(1, changes - from)), delayMs: next() < 0.5 ? 0 : next() * 6 };
  }
}
