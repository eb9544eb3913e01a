import type { Manifest } from '../model/manifest.ts';
import { damageOf } from './check-pack.ts';
import { type ManifestRoll, manifestName } from './manifest-roll.ts';
import { decodeObject, ObjectKind } from './object-envelope.ts';
import type { PoolContext } from './pool-context.ts';
import { HEADER_NAME } from './pool-header.ts';

/** An object that is lost or damaged. */
export interface ObjectDamage {
  readonly file: string;
  readonly offset: number;
  readonly kind: string;
}

/** Kinds of small objects by where they lie; header and keys are never sealed. */
const KINDS: readonly { readonly name: RegExp; readonly kind: ObjectKind; readonly sealed: boolean }[] = [
  { name: /^keys\/[0-9a-f]{16}$/, kind: ObjectKind.key, sealed: false },
  { name: /^records\/[a-z]+\/[a-z0-9_-]+\/\d{8}$/, kind: ObjectKind.record, sealed: true },
  { name: /^purged\/\d{8}$/, kind: ObjectKind.purged, sealed: true },
  { name: /^condemned\/[0-9a-f]{8}$/, kind: ObjectKind.condemned, sealed: true },
  { name: /^epochs\/[0-9a-f]{8}(-ended)?$/, kind: ObjectKind.epoch, sealed: true },
];
const MAX_OBJECT_BYTES = 512 * 1024 * 1024;

/** Verifies header, keys, records and the other small objects. */
export async function checkSmallObjects(pool: PoolContext): Promise<ObjectDamage[]> {
  const damage: ObjectDamage[] = [];
  await verify(pool, HEADER_NAME, ObjectKind.header, false, damage);
  for (const prefix of ['keys/', 'records/', 'purged/', 'condemned/', 'epochs/']) {
    for await (const { name } of pool.store.list(prefix)) {
      const known = KINDS.find((each) => each.name.test(name));
      if (known) await verify(pool, name, known.kind, known.sealed, damage);
    }
  }
  return damage;
}

async function verify(pool: PoolContext, name: string, kind: ObjectKind, sealed: boolean, damage: ObjectDamage[]): Promise<void> {
  try {
    decodeObject({ name, kind, poolId: pool.poolId }, sealed ? pool.keys : undefined, await pool.store.get(name, MAX_OBJECT_BYTES));
  } catch (error) {
    const found = damageOf(error);
    // What was listed and is gone was removed meanwhile, as superseded records are.
    if (found.kind !== 'missing') damage.push({ file: name, ...found });
  }
}

/** Verifies every manifest and its link to the one before; answers those that are intact. */
export async function checkRoll(
  roll: ManifestRoll,
): Promise<{ readonly damage: ObjectDamage[]; readonly manifests: Map<number, Manifest> }> {
  const { present, missing } = await roll.list();
  const damage: ObjectDamage[] = missing.map((seq) => ({ file: manifestName(seq), offset: 0, kind: 'missing' }));
  const manifests = new Map<number, Manifest>();
  for (const seq of present) {
    try {
      manifests.set(seq, await roll.verify(seq));
    } catch (error) {
      damage.push({ file: manifestName(seq), ...damageOf(error) });
    }
  }
  return { damage, manifests };
}
