import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiskHashes, sameHashes } from './lab-vms.ts';
import type { Mabs } from './mabs.ts';

/** What `point list` says of a point, as far as it matters here. */
export interface ListedPoint {
  readonly id: string;
  readonly vm: string;
  readonly held: boolean;
  readonly disks: readonly { readonly root: string }[];
}

/** Every recovery point that was ever seen, and what its disks must restore to. */
export class KnownPoints {
  readonly #folder: string;
  readonly #truth = new Map<string, DiskHashes>();
  readonly #mayBeGone = new Set<string>();
  restored = 0;

  /** `folder`: where points are restored to, one at a time. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get count(): number {
    return this.#truth.size;
  }

  hashes(id: string): DiskHashes {
    return this.#truth.get(id)!;
  }

  /** A removal of this point has been asked for: it may be listed or not from now on. */
  removing(id: string): void {
    this.#mayBeGone.add(id);
  }

  /**
   * Looks at the list: no point may be missing, and each that is new is restored and must be one of the states that its VM had
   * since the last look.
   */
  async learn(mabs: Mabs, possible: (vm: string) => readonly DiskHashes[]): Promise<ListedPoint[]> {
    const points = await mabs.json<ListedPoint[]>('point', 'list');
    const listed = new Set(points.map(({ id }) => id));
    for (const id of this.#truth.keys()) {
      if (listed.has(id)) continue;
      if (!this.#mayBeGone.has(id)) throw new Error(`point ${id} is lost`);
      this.#truth.delete(id);
    }
    for (const point of points) {
      if (this.#truth.has(point.id)) continue;
      const found = await this.#restore(mabs, point);
      if (!possible(point.vm).some((state) => sameHashes(state, found)))
        throw new Error(`the new point ${point.id} of ${point.vm} is none of the states that the VM had`);
      this.#truth.set(point.id, found);
    }
    return points;
  }

  /** Restores a point and compares. */
  async verify(mabs: Mabs, point: ListedPoint): Promise<void> {
    const found = await this.#restore(mabs, point);
    if (!sameHashes(found, this.hashes(point.id))) throw new Error(`point ${point.id} of ${point.vm} restores wrong`);
  }

  async #restore(mabs: Mabs, point: ListedPoint): Promise<DiskHashes> {
    const target = join(this.#folder, 'compare');
    const report = await mabs.json<{ disks: { path: string }[] }>('recover', point.id, '--to', `folder:${target}`, '--format', 'raw');
    const found = await Promise.all(report.disks.map(({ path }) => sha256(path)));
    await rm(target, { recursive: true });
    this.restored += 1;
    return found;
  }
}

/** Ids, holds and roots of points as one text, for comparing lists. */
export function describePoints(points: readonly ListedPoint[]): string {
  return points
    .map(({ id, held, disks }) => `${id} ${held ? 'held' : 'free'} ${disks.map(({ root }) => root).join(' ')}`)
    .sort()
    .join('\n');
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
