/**
 * Damages every kind of object of a pool in every way and looks whether it is found: `npm run campaign:damage -- [--seed 1] [--rounds 1]`.
 * For each case: no restore writes a wrong byte; `pool check` names the object, with the points that cannot be restored, or the
 * damage is harmless: everything restores and the pool goes on as before. What touched only blocks or the index is whole again once a
 * consistency check has compared the sources.
 */
import { parseArgs } from 'node:util';
import { MabsError } from '../src/lib/errors.ts';
import type { BlobStore } from '../src/stores/blob-store.ts';
import { commitPoint, objectNames, restored } from '../test/builders/pools.ts';
import { aSoundPool, bringBack, copyOf, openSeen, type SoundPool, tryRestore } from './campaign/damaged-pool.ts';
import { DAMAGES, type DamageKind } from './campaign/damages.ts';
import { type SeededRandom, seededRandom } from './campaign/seeded-random.ts';

type Outcome = 'found' | 'found at opening' | 'made anew' | 'harmless';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '1' } } });
const tally = new Map<string, Record<string, number>>();
let cases = 0;
let mended = 0;
const failures: string[] = [];

for (const encrypt of [false, true]) {
  const random = seededRandom(Number(values.seed));
  const sound = await aSoundPool(encrypt, random);
  for (let round = 0; round < Number(values.rounds); round += 1) await everyObject(sound, random, encrypt);
}
report();

async function everyObject(sound: SoundPool, random: SeededRandom, encrypt: boolean): Promise<void> {
  const names = await objectNames(sound.test.store);
  for (const name of names) {
    const siblings = names.filter((other) => other !== name && kindOf(other) === kindOf(name));
    for (const damage of DAMAGES) {
      for (let time = 0; time < damage.times; time += 1) {
        const store = await copyOf(sound.test.store);
        if (!(await damage.apply(store, name, siblings, random))) continue;
        cases += 1;
        try {
          note(kindOf(name), await oneCase(sound, store, name, damage));
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          failures.push(`${encrypt ? 'encrypted' : 'plain'} ${name}, ${damage.name}: ${detail}`);
        }
      }
    }
  }
}

async function oneCase(sound: SoundPool, store: BlobStore, name: string, damage: DamageKind): Promise<Outcome> {
  const seen = await openSeen(sound, store).catch((error: unknown) => {
    if (error instanceof MabsError && (error.kind === 'damaged' || ['MABS-POOL-NOT-FOUND', 'MABS-POOL-PASSPHRASE'].includes(error.code)))
      return undefined;
    throw error;
  });
  if (!seen) return 'found at opening';
  const unreadable = new Set<string>();
  for (const known of sound.points) {
    const found = await tryRestore(seen.pool, known);
    if (found instanceof Error) {
      if (!(found instanceof MabsError) || found.kind !== 'damaged') throw new Error(`a restore ended with ${found.stack}`);
      unreadable.add(known.point.manifest.id);
    } else if (!found.equals(known.content)) throw new Error('A RESTORE WROTE WRONG BYTES');
  }
  const check = await seen.check();
  if (check.status === 'ok') {
    if (unreadable.size > 0) throw new Error('the check is content, but points cannot be restored');
    await proveHarmless(sound, store, name);
    return 'harmless';
  }
  const files = check.damage.map(({ file }) => file);
  if (check.status === 'repaired') {
    // What was lost was only a cache and has been made anew: packs are named that it no longer told of.
    for (const known of sound.points)
      if (!(await restored(seen.pool, known.point)).equals(known.content)) throw new Error('a repaired pool restores wrong');
    if (/^(packs|index)\//.test(name)) await proveMended(sound, store, damage);
    return 'made anew';
  }
  // A record of what was purged is missed by what it explained.
  if (!files.includes(name) && !name.startsWith('purged/')) throw new Error(`the check names ${files.join(', ')} only`);
  const told = new Set(check.damage.flatMap(({ affectedPoints }) => affectedPoints));
  for (const id of unreadable) if (!told.has(id)) throw new Error(`the check does not name the point ${id}, which cannot be restored`);
  if (/^(packs|index)\//.test(name)) await proveMended(sound, store, damage);
  return 'found';
}

/** The pool goes on: more is stored, space given back, everything restored, and nothing that people said is forgotten. */
async function proveHarmless(sound: SoundPool, store: BlobStore, name: string): Promise<void> {
  const { pool, check } = await openSeen(sound, store);
  if (name.startsWith('records/owner/')) {
    // Nobody owns the pool now: it is read until some home imports it.
    await commitPoint(pool, sound.points[0]!.content).then(
      () => Promise.reject(new Error('a home writes to a pool that it does not own')),
      () => {},
    );
    return;
  }
  for (const kind of ['group', 'hold'] as const) {
    const before = JSON.stringify([...(await sound.test.pool.latestRecords(kind))]);
    if (JSON.stringify([...(await pool.latestRecords(kind))]) !== before)
      throw new Error(`a ${kind} is forgotten and the check is content`);
  }
  const content = Buffer.from(sound.points[0]!.content).fill(name, 0, 5000);
  const added = await commitPoint(pool, content);
  await pool.sweep();
  for (const known of [...sound.points, { point: added, content }])
    if (!(await restored(pool, known.point)).equals(known.content)) throw new Error('later a restore wrote wrong bytes');
  const { status } = await check();
  if (status !== 'ok') throw new Error(`later the check says ${status}`);
}

/** A consistency check of each VM brings back what the pool lost; then everything restores and a check finds nothing. */
async function proveMended(sound: SoundPool, store: BlobStore, damage: DamageKind): Promise<void> {
  const { pool, check } = await openSeen(sound, store);
  for (const known of sound.kept) await bringBack(pool, known);
  for (const known of sound.points)
    if (!(await restored(pool, known.point)).equals(known.content)) throw new Error('a mended point restores wrong');
  await check();
  const { status, damage: left } = await check();
  if (status !== 'ok') throw new Error(`after ${damage.name} was mended the check says ${status}: ${JSON.stringify(left).slice(0, 300)}`);
  mended += 1;
}

function kindOf(name: string): string {
  const [first, second] = name.split('/');
  return first === 'records' ? `records/${second}` : first!;
}

function note(kind: string, outcome: Outcome): void {
  const row = tally.get(kind) ?? {};
  row[outcome] = (row[outcome] ?? 0) + 1;
  tally.set(kind, row);
}

function report(): void {
  for (const [kind, row] of [...tally].sort()) console.log(kind.padEnd(20), JSON.stringify(row));
  for (const failure of failures.slice(0, 60)) console.log(`FAILED ${failure}`);
  console.log(`${cases} cases (seed ${values.seed}), ${mended} brought back from the source`);
  console.log(`${cases - failures.length} passed, ${failures.length} failed`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
