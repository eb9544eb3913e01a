import type { FileNode } from '../../filesystems/file-system.ts';
import { NameSet } from '../../lib/name-set.ts';
import { type NameOrigin, type NameRules, nameKey, targetName, twinName } from '../../lib/target-names.ts';
import type { TargetFolder } from './target-folder.ts';
import type { TreePlace } from './walk-tree.ts';

/**
 * A folder of the target while something is put into it. Whoever puts something into it retains it; when the last one released it, it
 * is finished: nothing goes through it any more.
 */
export class OpenFolder {
  readonly folder: TargetFolder;
  /** Relative to the target, with `/`; empty for the target. */
  readonly relative: string;
  readonly #taken = new NameSet();
  readonly #finish: () => Promise<void>;
  #users = 1;
  #nextTwin = 2;

  constructor(folder: TargetFolder, relative: string, finish: () => Promise<void>) {
    this.folder = folder;
    this.relative = relative;
    this.#finish = finish;
  }

  /** The name in the target for a name of the source: never one that was given in this folder before. */
  nameFor(original: string, rules: NameRules, origin: NameOrigin): string {
    const mapped = targetName(original, rules, origin);
    return this.#taken.add(nameKey(mapped, rules)) ? mapped : this.twinOf(mapped, rules);
  }

  /** Another name for what cannot have `mapped`: the target takes it for one that was given. */
  twinOf(mapped: string, rules: NameRules): string {
    for (;;) {
      const twin = twinName(mapped, this.#nextTwin++, rules);
      if (this.#taken.add(nameKey(twin, rules))) return twin;
    }
  }

  /** Nothing of the source gets this name. */
  reserve(name: string, rules: NameRules): void {
    this.#taken.add(nameKey(name, rules));
  }

  /** Remembers an entry of this job by its identity. NUL: no name has it. */
  own(key: string): void {
    this.#taken.add(`\0${key}`);
  }

  isOwn(key: string): boolean {
    return this.#taken.has(`\0${key}`);
  }

  relativeOf(name: string): string {
    return this.relative === '' ? name : `${this.relative}/${name}`;
  }

  retain(): void {
    this.#users += 1;
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#finish();
  }
}

/** A link that waits until everything in its folder is written. */
export interface PendingLink {
  readonly place: TreePlace;
  readonly name: string;
  readonly node: FileNode;
}
