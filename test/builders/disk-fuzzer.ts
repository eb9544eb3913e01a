import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskFormat } from '../../src/disks/disk-format.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import { MabsError } from '../../src/lib/errors.ts';
import { timeOfWork } from './time-of-work.ts';

/** An image to spoil. */
export interface FuzzSeed {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** Where the structures lie: what is spoiled. */
  readonly hotspots: readonly ByteRange[];
  /** Makes checksums right again, so that what lies behind them is reached too. */
  readonly fix?: (image: Uint8Array) => void;
}

export interface FuzzTarget {
  readonly name: string;
  readonly format: DiskFormat;
  /** Makes the images; what they need beside them is put into `folder`, where they will lie. */
  readonly seeds: (folder: string) => Promise<FuzzSeed[]>;
}

export interface FuzzReport {
  readonly rounds: number;
  /** Images that opened all the same, and refusals by code. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What must not happen: an error without a type, of a wrong kind, or a second of work in one round. */
  readonly problems: readonly string[];
  readonly slowestMs: number;
}

/** How a hostile image may be refused. `failed` and all others would be wrong: they promise something else. */
const KINDS = new Set(['damaged', 'prerequisite']);
const MIB = 1024 * 1024;

/** Spoils the target's images `rounds` times, repeatably, and does with each what mabs does with an image. */
export async function fuzzDisks(
  target: FuzzTarget,
  folder: string,
  { seed, rounds }: { seed: number; rounds: number },
): Promise<FuzzReport> {
  const chance = new Chance(seed);
  const seeds = await target.seeds(folder);
  for (const { fileName, bytes } of seeds) await writeFile(join(folder, fileName), bytes);
  const work = new Map(seeds.map((image) => [image, image.bytes.slice()]));
  const outcomes: Record<string, number> = {};
  const problems: string[] = [];
  let slowestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const image = seeds[round % seeds.length]!;
    const path = join(folder, image.fileName);
    const writes = chance.below(24) === 0;
    await spoil(path, image, work.get(image)!, chance);
    const { result: outcome, tookMs, tooLong } = await timeOfWork(() => exercise(target.format, path, chance, writes));
    slowestMs = Math.max(slowestMs, tookMs);
    outcomes[outcome.name] = (outcomes[outcome.name] ?? 0) + 1;
    const problem = outcome.problem ?? tooLong;
    if (problem) problems.push(`seed ${seed}, round ${round}, ${image.fileName}: ${problem}`);
    await restore(path, image, writes);
  }
  return { rounds, outcomes, problems, slowestMs };
}

/** `spoiled` is a copy of the image that is used again and again. */
async function spoil(path: string, image: FuzzSeed, spoiled: Uint8Array, chance: Chance): Promise<void> {
  for (const { offset, length } of image.hotspots) spoiled.set(image.bytes.subarray(offset, offset + length), offset);
  for (let times = 1 + chance.below(5); times > 0; times--) spoilOnce(spoiled, image.hotspots, chance);
  if (image.fix && chance.below(5) > 0) image.fix(spoiled);
  await using handle = await open(path, 'r+');
  for (const { offset, length } of image.hotspots) await handle.write(spoiled, offset, length, offset);
  if (chance.below(16) === 0) await handle.truncate(chance.below(image.bytes.length));
}

async function restore(path: string, image: FuzzSeed, wasWritten: boolean): Promise<void> {
  await using handle = await open(path, 'r+');
  const { size } = await handle.stat();
  if (wasWritten) {
    await handle.truncate(image.bytes.length);
    await handle.write(image.bytes, 0, image.bytes.length, 0);
  } else if (size < image.bytes.length) {
    await handle.write(image.bytes, size, image.bytes.length - size, size);
  }
  if (!wasWritten) for (const { offset, length } of image.hotspots) await handle.write(image.bytes, offset, length, offset);
}

const INTERESTING = [0n, 1n, 2n, 7n, 0x7fn, 0xffn, 0x1ffn, 512n, 4096n, 0xffffn, 0x10000n, 0x100000n, 0x300000n, 0x7fffffffn, 0x80000000n]
  .concat([0xfffffff8n, 0xffffffffn, 0x100000000n, 1n << 40n, 1n << 46n, (1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, 1n << 63n])
  .concat([0xffff_ffff_ffff_ffffn]);

/** Spoils one place within the hotspots: a bit, a byte, a number that is a limit of something, a piece of another place. */
export function spoilOnce(image: Uint8Array, hotspots: readonly ByteRange[], chance: Chance): void {
  const { offset, length } = hotspots[chance.below(hotspots.length)]!;
  // Structures are fullest at their start.
  const within = chance.below(2) ? chance.below(Math.min(length, 512)) : chance.below(length);
  const at = offset + within;
  const room = offset + length - at;
  switch (chance.below(6)) {
    case 0:
      image[at] = chance.below(256);
      break;
    case 1:
      image[at]! ^= 1 << chance.below(8);
      break;
    case 2:
      image.fill(chance.below(2) * 0xff, at, at + Math.min(room, 1 + chance.below(64)));
      break;
    case 3: {
      const from = hotspots[chance.below(hotspots.length)]!;
      const source = from.offset + chance.below(from.length);
      image.copyWithin(at, source, source + Math.min(room, from.offset + from.length - source, 1 + chance.below(128)));
      break;
    }
    default: {
      const size = [1, 2, 4, 8][chance.below(4)]!;
      const start = at - (at % size);
      const value = INTERESTING[chance.below(INTERESTING.length)]! + BigInt(chance.below(3) - 1);
      const littleEndian = chance.below(4) > 0;
      for (let byte = 0; byte < size; byte++) {
        const shift = BigInt(8 * (littleEndian ? byte : size - 1 - byte));
        image[start + byte] = Number((BigInt.asUintN(64, value) >> shift) & 0xffn);
      }
    }
  }
}

async function exercise(format: DiskFormat, path: string, chance: Chance, writes: boolean): Promise<{ name: string; problem?: string }> {
  try {
    await format.detect(path);
    await format.describe(path);
    {
      await using disk = await format.open(path);
      for (let times = 0; times < 4; times++) {
        const offset = times === 0 ? 0 : chance.below(disk.sizeBytes);
        await disk.extents({ offset, length: Math.min(64 * MIB, disk.sizeBytes - offset) });
        await disk.read(offset, new Uint8Array(Math.min(20_000, disk.sizeBytes - offset)));
      }
    }
    if (writes) {
      await using disk = await format.openForWriting(path);
      const offset = chance.below(disk.sizeBytes);
      await disk.write(offset, new Uint8Array(Math.min(5000, disk.sizeBytes - offset)).fill(1));
      await disk.flush();
    }
    return { name: 'opened' };
  } catch (error) {
    if (error instanceof MabsError && KINDS.has(error.kind)) return { name: error.code };
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { name: 'problem', problem };
  }
}

/** Repeatable chance: a small generator (xorshift), good enough to vary what is spoiled. */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0 || 1;
  }

  /** A whole number from 0 up to, not including, `limit`, which may be above 2^32. */
  below(limit: number): number {
    return limit <= 0 ? 0 : Math.min(limit - 1, Math.floor(((this.#next() + this.#next() / 2 ** 32) / 2 ** 32) * limit));
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }
}
