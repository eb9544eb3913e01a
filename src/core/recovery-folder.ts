import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { MabsError } from '../lib/errors.ts';
import type { Ports } from './ports.ts';

export class TargetOwnError extends MabsError {
  readonly code = 'MABS-TARGET-OWN';
  readonly hint = 'Recover into a folder outside of it.';
  override readonly kind = 'usage';
  constructor(folder: string, what: string) {
    super(`${folder} lies in ${what}, in which mabs keeps its own files`);
  }
}

/** Rejects a folder within the home or a pool of it, by whatever way it is named: what a guest calls a file must not become a file of theirs. */
export async function refuseOwnFolder({ home }: Pick<Ports, 'home'>, folder: string): Promise<void> {
  const own = [{ what: 'the home', path: home.path }];
  for (const { name, path } of await home.listPools()) own.push({ what: `the pool ${name}`, path });
  const target = await realPlace(folder);
  for (const { what, path } of own) {
    if (isWithin(target, await realPlace(path))) throw new TargetOwnError(folder, what);
  }
}

/** Where a path leads, as far as it is there already. */
async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  for (let at = whole; ; at = dirname(at)) {
    try {
      return resolve(await realpath(at), relative(at, whole));
    } catch {
      // Not there, or whoever opens it tells what is wrong with it.
      if (dirname(at) === at) return whole;
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
}
