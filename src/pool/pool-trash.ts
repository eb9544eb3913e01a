import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import type { StoredManifest } from '../model/manifest.ts';
import type { ManifestRoll } from './manifest-roll.ts';
import type { TrashedManifest } from './pool.ts';
import type { PoolContext } from './pool-context.ts';
import type { PoolRecords } from './pool-records.ts';

/** `restored` is kept for taking a manifest out of the trash again. */
const trashSchema = z.object({ trashedAt: z.string(), reason: z.string(), restored: z.boolean().optional() });

const ownerOf = (seq: number) => String(seq).padStart(10, '0');

/** Manifests that were given up but not purged: records beside the roll, whose files stay as they are. */
export class PoolTrash {
  readonly #pool: PoolContext;
  readonly #records: PoolRecords;
  readonly #roll: ManifestRoll;

  constructor(pool: PoolContext, records: PoolRecords, roll: ManifestRoll) {
    this.#pool = pool;
    this.#records = records;
    this.#roll = roll;
  }

  /** The commit of a removal. A manifest that is in the trash already stays there as it is. */
  async add(seq: number, reason: string): Promise<void> {
    const { present } = await this.#roll.list();
    if (!present.includes(seq)) throw new ManifestGoneError(seq);
    if ((await this.seqs()).has(seq)) return;
    // A hold that cannot be read may hold this one: reading it rejects.
    await this.#records.latest('hold', (await this.#roll.get(seq)).id);
    await this.#records.put('trash', ownerOf(seq), { trashedAt: new Date(this.#pool.clock.now()).toISOString(), reason });
  }

  /** Numbers in the trash, with when and why. */
  async seqs(): Promise<Map<number, { readonly trashedAt: string; readonly reason: string }>> {
    const trashed = new Map<number, { trashedAt: string; reason: string }>();
    for (const [owner, { payload }] of await this.#records.allLatest('trash')) {
      // One that says nothing of the kind counts like a damaged one: what it was about stays where it was.
      const { data } = trashSchema.safeParse(payload);
      if (data && !data.restored) trashed.set(Number(owner), { trashedAt: data.trashedAt, reason: data.reason });
    }
    return trashed;
  }

  async list(): Promise<TrashedManifest[]> {
    const trashed = await this.seqs();
    const { present } = await this.#roll.list();
    const found: TrashedManifest[] = [];
    for (const seq of present) {
      const entry = trashed.get(seq);
      const manifest = entry && (await readIfIntact(this.#roll, seq));
      if (entry && manifest) found.push({ seq, manifest, ...entry });
    }
    return found;
  }

  /** Removes records of manifests that were purged. */
  async removePurged(): Promise<void> {
    const present = new Set((await this.#roll.list()).present);
    for (const seq of (await this.seqs()).keys()) if (!present.has(seq)) await this.#records.removeAll('trash', ownerOf(seq));
  }
}

/** Manifests that are neither in the trash nor purged, ascending. Lost and damaged ones are left out unless `strict`. */
export async function liveManifests(
  { roll }: { readonly roll: ManifestRoll },
  trash: PoolTrash,
  { afterSeq = 0, strict = false }: { readonly afterSeq?: number; readonly strict?: boolean },
): Promise<StoredManifest[]> {
  const { present } = strict ? await roll.listComplete() : await roll.list();
  const trashed = await trash.seqs();
  const live: StoredManifest[] = [];
  for (const seq of present) {
    if (seq <= afterSeq || trashed.has(seq)) continue;
    const manifest = strict ? await roll.get(seq) : await readIfIntact(roll, seq);
    if (manifest) live.push({ seq, manifest });
  }
  return live;
}

async function readIfIntact(roll: ManifestRoll, seq: number) {
  try {
    return await roll.get(seq);
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged') return undefined;
    throw error;
  }
}

export class ManifestGoneError extends MabsError {
  readonly code = 'MABS-POOL-MANIFEST-GONE';
  readonly hint = 'Another process removed it meanwhile: `mabs point list` shows what is there.';
  constructor(seq: number) {
    super(`the pool has no manifest number ${seq}`);
  }
}
