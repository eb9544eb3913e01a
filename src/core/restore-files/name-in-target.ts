import { lstat } from 'node:fs/promises';
import { systemErrorCode } from '../../lib/errors.ts';
import { type NameOrigin, type NameRules, nameKey, targetName } from '../../lib/target-names.ts';
import { TargetExistsError } from '../recover-to-folder.ts';
import type { Existing } from './restore-context.ts';
import { nameSelections, type Selected, withMark } from './selections.ts';
import type { Target } from './target.ts';
import type { TargetFolder } from './target-folder.ts';

/** What the names of a folder are chosen by; nothing here changes it. */
export interface NamesThere {
  readonly rules: NameRules;
  isFree(name: string): Promise<boolean>;
  /** Where what has this name lies. */
  pathOf(name: string): string;
}

/** Those of an open target. */
export function namesIn({ root, rules }: Target): NamesThere {
  return { rules, isFree: (name) => isFreeIn(root, name), pathOf: (name) => root.childPath(name) };
}

/** Names without clashes, and nothing that is there in the way, unless that is wanted. */
export async function nameInTarget(there: NamesThere, found: readonly Selected[], existing: Existing): Promise<Selected[]> {
  const { rules } = there;
  const originOf = (one: Selected) => (one.type === 'tree' ? one.system.names : 'utf16');
  const named = nameSelections(found, (name) => nameKey(targetName(name, rules, 'utf16'), rules));
  if (existing === 'overwrite' || existing === 'skip') return named;
  const isFree = (name: string, origin: NameOrigin) => there.isFree(targetName(name, rules, origin));
  const taken: string[] = [];
  const free: Selected[] = [];
  const given = new Set(named.map(({ as }) => as));
  for (const one of named) {
    let { as } = one;
    for (let number = 2; !(await isFree(as, originOf(one))); number++) {
      if (existing === 'refuse') {
        taken.push(there.pathOf(targetName(as, rules, originOf(one))));
        break;
      }
      while (given.has(withMark(one.as, String(number)))) number += 1;
      as = withMark(one.as, String(number));
    }
    given.add(as);
    free.push({ ...one, as });
  }
  if (taken.length > 0) throw new TargetExistsError(...taken);
  return free;
}

export async function isFreeIn(folder: TargetFolder, name: string): Promise<boolean> {
  return await folder.within(name, (path) =>
    lstat(path).then(
      () => false,
      (error: unknown) => {
        if (systemErrorCode(error) === 'ENOENT') return true;
        throw error;
      },
    ),
  );
}
