import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initHome } from '../../src/core/home.ts';
import { type OpenedPorts, openPorts } from '../../src/core/open-ports.ts';
import type { SecretReference } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { implementations } from './implementations.ts';

/** A folder of its own with a home in it, removed when it is disposed of. */
export interface TestHome extends AsyncDisposable {
  /** For pools, labs and files of the test. */
  readonly folder: string;
  readonly homePath: string;
  /** A folder inside, made. */
  makeFolder(name: string): Promise<string>;
  /** Opens the home as a command does; another call is another command. */
  ports(options?: {
    readonly homePath?: string;
    readonly secret?: SecretReference;
    readonly typed?: readonly string[];
  }): Promise<OpenedPorts>;
}

export async function aHome(): Promise<TestHome> {
  const folder = await mkdtemp(join(tmpdir(), 'mabs-home-'));
  const homePath = join(folder, 'home');
  await initHome(homePath, { clock: systemClock, random: systemRandom });
  return {
    folder,
    homePath,
    async makeFolder(name) {
      await mkdir(join(folder, name), { recursive: true });
      return join(folder, name);
    },
    ports: ({ homePath: path = homePath, secret, typed = [] } = {}) => {
      const answers = [...typed];
      return openPorts(implementations, {
        homePath: path,
        waitMs: 0,
        clock: systemClock,
        random: systemRandom,
        signal: new AbortController().signal,
        secret,
        askSecret: async (message) => answers.shift() ?? Promise.reject(new Error(`nobody answers: ${message}`)),
      });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
