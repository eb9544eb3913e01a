import type { Manifest } from '../model/manifest.ts';
import type { BlockLocation } from './block.ts';
import type { SegmentedIndex } from './block-index.ts';
import { nextCursor, readCursor, writeCursor } from './check-cursor.ts';
import { checkIndex, isOwned } from './check-index.ts';
import { checkRoll, checkSmallObjects, type ObjectDamage } from './check-objects.ts';
import { damageOf, type PackCheck, type PackDamage } from './check-pack.ts';
import { checkPacks } from './check-packs.ts';
import { type BadCopies, checkReach, type LostBlock } from './check-reach.ts';
import { readBack } from './engine/read-back.ts';
import { healPacks } from './heal-packs.ts';
import { PACK_HEADER_BYTES } from './pack-format.ts';
import { createPackReader } from './pack-reader.ts';
import type { CheckOptions, Damage, PoolCheckResult } from './pool.ts';
import { PoolBlocks } from './pool-blocks.ts';
import type { WriterParts } from './pool-writer.ts';
import { samplePacks } from './sample-packs.ts';

/** What a check has found so far. */
interface Findings {
  readonly objects: ObjectDamage[];
  /** By pack. */
  readonly packs: Map<string, PackDamage[]>;
  blocksRead: number;
  bytesRead: number;
  complete: boolean;
}

/**
 * Holds the pool against itself. Always: every small object, the roll, the index, header, tables and trailer of each pack, and that
 * each block that a manifest needs is known. With `new` the manifests that were never read back are read back; with `sample` some
 * packs, with `all` every pack is read whole. The home that owns the pool makes a damaged index anew, since it is a cache, and
 * replaces packs whose damage touches no block that is needed.
 */
export async function checkPool(parts: WriterParts, options: CheckOptions): Promise<PoolCheckResult> {
  const { pool, roll, index } = parts;
  const objects = await checkSmallObjects(pool);
  const { damage: rollDamage, manifests } = await checkRoll(roll);
  const indexCheck = await checkIndex(parts);
  const findings: Findings = { objects: [...objects, ...rollDamage], packs: new Map(), blocksRead: 0, bytesRead: 0, complete: true };
  if (!indexCheck.repaired) findings.objects.push(...indexCheck.damage);
  await using opened = await index.open();
  await checkAllPacks(parts, opened, options, findings);
  const readNow = options.depth === 'new' ? await readBackNew(parts, manifests, options, findings) : new Set<string>();
  const bad = badCopies(findings.packs);
  await using reader = createPackReader(pool.store, pool.poolId, pool.keys);
  const { lost, complete: knowsAllNeeds } = await checkReach(opened, reader, manifests.values(), bad, options.signal);
  const uses = await usesOfPacks(parts, opened, manifests, findings);
  // Where a manifest or a page of a map cannot be read, nobody knows what is needed, and nothing is taken away.
  const healed = knowsAllNeeds && rollDamage.length === 0 ? await heal(parts, opened, findings, uses) : new Set<string>();
  const objectDamage = findings.objects.map((each) => ({ ...each, affectedPoints: [] }));
  const inPacks = packDamage(findings.packs, lost, uses, manifests);
  // What touched nothing that is needed, and is gone with its pack, was garbage: told once, and no damage.
  const garbage = inPacks.filter(({ file }) => healed.has(file) && uses.get(file)?.manifests.size === 0);
  const damage = [...objectDamage, ...inPacks.filter((each) => !garbage.includes(each))];
  const repaired = [...(indexCheck.repaired ? indexCheck.damage.map((each) => ({ ...each, affectedPoints: [] })) : []), ...garbage];
  const readAll = options.depth === 'all' && findings.complete && !options.resume;
  const verified = [...manifests.values()].filter(({ id }) => !lost.has(id) && (readAll || readNow.has(id))).map(({ id }) => id);
  const { blocksRead, bytesRead, complete } = findings;
  const status = damage.length > 0 ? 'damaged' : repaired.length > 0 ? 'repaired' : 'ok';
  return { status, blocksRead, bytesRead, damage: [...damage, ...repaired], verified, complete };
}

/** Checks the packs that are there and those that the index names, as deep as was asked for. */
async function checkAllPacks(parts: WriterParts, index: SegmentedIndex, options: CheckOptions, findings: Findings): Promise<void> {
  const { pool, threads } = parts;
  const sizes = await packSizes(parts, index);
  const names = [...sizes.keys()].sort();
  const note = (check: PackCheck) => {
    findings.blocksRead += check.blocksRead;
    findings.bytesRead += check.bytesRead;
    if (check.damage.length > 0) findings.packs.set(check.name, [...check.damage]);
  };
  const base = { threads: threads.count, signal: options.signal };
  await checkPacks(pool, { ...base, names, depth: 'structure', enough: () => false, onPack: note });
  const intact = names.filter((name) => !findings.packs.has(name));
  const wanted = options.depth === 'all' ? intact : options.depth === 'sample' ? samplePacks(intact, pool.random) : [];
  const whole = options.depth === 'all' && options.resume ? nextCursor(wanted, await readCursor(parts)) : wanted;
  const totalBytes = whole.reduce((sum, name) => sum + sizes.get(name)!, 0);
  const deadline = options.budgetMs === undefined ? undefined : pool.clock.now() + options.budgetMs;
  const done = await checkPacks(pool, {
    ...base,
    names: whole,
    depth: 'all',
    enough: () => deadline !== undefined && pool.clock.now() >= deadline,
    onPack(check) {
      note(check);
      options.onProgress?.({ doneBytes: findings.bytesRead, totalBytes });
    },
  });
  findings.complete = done === whole.length;
  if (options.depth === 'all') await writeCursor(parts, findings.complete ? undefined : (whole[done - 1] ?? ''));
}

/** Sizes of packs by name; of those that the index names and nobody lists, 0. Packs that are in no segment are garbage of a crash. */
async function packSizes({ pool, index }: WriterParts, opened: SegmentedIndex): Promise<Map<string, number>> {
  const listed = new Map<string, number>();
  for await (const { name, sizeBytes } of pool.store.list('packs/')) listed.set(name, sizeBytes);
  // Asked again after the listing: what a sweep removed meanwhile is in no segment now.
  const indexed = await index.indexedPacks();
  const sizes = new Map<string, number>();
  for (const segment of opened.segments) {
    for (const name of segment.packNames()) if (indexed.has(name)) sizes.set(name, listed.get(name) ?? 0);
  }
  return sizes;
}

/** Reads back manifests that were never proven; what is wrong is added to the findings. Answers the ids of those that were read. */
async function readBackNew(
  { pool, index, threads, header }: WriterParts,
  manifests: ReadonlyMap<number, Manifest>,
  options: CheckOptions,
  findings: Findings,
): Promise<Set<string>> {
  const blocks = new PoolBlocks(pool, index, header);
  const deadline = options.budgetMs === undefined ? undefined : pool.clock.now() + options.budgetMs;
  const read = new Set<string>();
  for (const manifest of manifests.values()) {
    if (manifest.verifiedAt !== undefined || options.alreadyVerified?.has(manifest.id)) continue;
    if (deadline !== undefined && pool.clock.now() >= deadline) {
      findings.complete = false;
      break;
    }
    try {
      const { blocksRead, bytesRead } = await readBack(threads, blocks, manifest, options);
      findings.blocksRead += blocksRead;
      findings.bytesRead += bytesRead;
      read.add(manifest.id);
    } catch (error) {
      const found = damageOf(error);
      const file = (error as { file?: unknown }).file;
      if (typeof file === 'string') findings.packs.set(file, [...(findings.packs.get(file) ?? []), { ...found, ordinal: -1 }]);
    }
  }
  return read;
}

/** Copies that are lost with their pack, or damaged in it. */
function badCopies(packs: ReadonlyMap<string, readonly PackDamage[]>): BadCopies {
  const whole = new Set<string>();
  const blocks = new Set<string>();
  for (const [name, damage] of packs) {
    for (const { offset, kind, ordinal } of damage) {
      if (ordinal !== undefined) blocks.add(`${name}@${offset}`);
      else if (kind === 'missing' || offset < PACK_HEADER_BYTES) whole.add(name);
    }
  }
  return {
    none: whole.size === 0 && blocks.size === 0,
    has: ({ pack, offset }: BlockLocation) => whole.has(pack) || blocks.has(`${pack}@${offset}`),
  };
}

/** Who needs blocks that have no copy but in a pack that is damaged somewhere. */
interface PackUse {
  /** Ids of manifests. */
  readonly manifests: Set<string>;
  /** Digests in hex. */
  readonly blocks: Set<string>;
}

/** For each pack in which anything is damaged, who needs it. */
async function usesOfPacks(
  { pool }: WriterParts,
  index: SegmentedIndex,
  manifests: ReadonlyMap<number, Manifest>,
  { packs }: Findings,
): Promise<Map<string, PackUse>> {
  const uses = new Map([...packs.keys()].map((name): [string, PackUse] => [name, { manifests: new Set(), blocks: new Set() }]));
  if (uses.size === 0) return uses;
  await using reader = createPackReader(pool.store, pool.poolId, pool.keys);
  const bad = { none: false, has: ({ pack: name }: BlockLocation) => uses.has(name) };
  const { lost } = await checkReach(index, reader, manifests.values(), bad, undefined);
  for (const [id, blocks] of lost) {
    for (const { at, digest } of blocks.values()) {
      const use = at && uses.get(at.pack);
      use?.manifests.add(id);
      use?.blocks.add(digest);
    }
  }
  return uses;
}

/** Replaces packs whose damage touches nothing that is needed and lost. Answers their names. */
async function heal(
  parts: WriterParts,
  index: SegmentedIndex,
  { packs }: Findings,
  uses: ReadonlyMap<string, PackUse>,
): Promise<Set<string>> {
  if (packs.size === 0 || !(await isOwned(parts))) return new Set();
  // One that is missing is only forgotten by the index: should it come back, it is indexed again.
  const damaged = [...packs.keys()].map((name) => ({ name, neededOnlyHere: uses.get(name)?.blocks ?? new Set<string>() }));
  return new Set(await healPacks(parts, index, damaged));
}

/**
 * What is wrong with packs. A damaged block is told when something needs it and no other copy is intact; a superseded copy is
 * garbage. Damage to a pack's own structure is told with the points that have blocks in it.
 */
function packDamage(
  packs: ReadonlyMap<string, readonly PackDamage[]>,
  lost: ReadonlyMap<string, ReadonlyMap<string, LostBlock>>,
  uses: ReadonlyMap<string, PackUse>,
  manifests: ReadonlyMap<number, Manifest>,
): Damage[] {
  const points = new Set([...manifests.values()].filter(({ kind }) => kind === 'point').map(({ id }) => id));
  const pointsOnly = (ids: Iterable<string>) => [...ids].filter((id) => points.has(id)).sort();
  const damage: Damage[] = [];
  const told = new Set<string>();
  for (const [file, found] of packs) {
    for (const { offset, kind, digest, ordinal } of found) {
      if (ordinal === undefined) damage.push({ file, offset, kind, affectedPoints: pointsOnly(uses.get(file)?.manifests ?? []) });
      else if (digest) {
        const hex = Buffer.from(digest).toString('hex');
        const needed = [...lost].filter(([, blocks]) => blocks.has(hex)).map(([id]) => id);
        if (needed.length === 0) continue;
        told.add(hex);
        damage.push({ file, offset, kind, affectedPoints: pointsOnly(needed) });
      }
    }
  }
  for (const [id, blocks] of lost) {
    for (const { digest, at, kind } of blocks.values()) {
      if (told.has(digest) || (at && isStructural(packs.get(at.pack)))) continue;
      told.add(digest);
      const needed = [...lost].filter(([, each]) => each.has(digest)).map(([each]) => each);
      damage.push({
        file: at?.pack ?? `block ${digest}`,
        offset: at?.offset ?? 0,
        kind,
        affectedPoints: pointsOnly([id, ...needed.filter((each) => each !== id)]),
      });
    }
  }
  return damage;
}

/** Whether a pack is damaged as a whole: then its blocks are not told one by one. */
function isStructural(damage: readonly PackDamage[] | undefined): boolean {
  return damage?.some(({ ordinal }) => ordinal === undefined) ?? false;
}
