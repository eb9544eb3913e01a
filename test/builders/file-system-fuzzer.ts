import type { FileNode, FileSystem, FileSystemDriver } from '../../src/filesystems/file-system.ts';
import type { Volume } from '../../src/filesystems/volume.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import { ReadPastEndError } from '../../src/lib/byte-source.ts';
import { MabsError } from '../../src/lib/errors.ts';
import { Chance, type FuzzReport, spoilOnce } from './disk-fuzzer.ts';
import { timeOfWork } from './time-of-work.ts';

/** A small volume to spoil: some hundred KiB at most, so that a round takes a fraction of a millisecond. */
export interface FileSystemSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where the structures lie. */
  readonly hotspots: readonly ByteRange[];
  /** Makes checksums right again, so that what lies behind them is reached too. */
  readonly fix?: (volume: Uint8Array) => void;
  /** Says of `fix` that it writes within the hotspots only: then a seed may be large. */
  readonly fixStaysInHotspots?: boolean;
}

export interface FileSystemFuzzTarget {
  readonly name: string;
  readonly driver: FileSystemDriver;
  readonly seeds: () => Promise<FileSystemSeed[]>;
}

/** A walk ends here: a spoiled directory may claim any number of names, and reading is bounded in proportion to the volume. */
const MOST_ENTRIES = 60;
const MOST_CONTENT = 64 * 1024;
/** Most rounds look at less: what is spoiled is mostly met early, and more rounds find more than longer ones. */
const FEW_ENTRIES = 16;
const LITTLE_CONTENT = 8 * 1024;

/** Spoils the target's volumes `rounds` times, repeatably, and reads what mabs reads of a volume. */
export async function fuzzFileSystem(
  target: FileSystemFuzzTarget,
  { seed, rounds }: { seed: number; rounds: number },
): Promise<FuzzReport> {
  const chance = new Chance(seed);
  const seeds = await target.seeds();
  const work = seeds.map(({ bytes }) => bytes.slice());
  const outcomes: Record<string, number> = {};
  const problems: string[] = [];
  let slowestMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const index = round % seeds.length;
    const { name, bytes, hotspots, fix, fixStaysInHotspots } = seeds[index]!;
    const spoiled = work[index]!;
    for (let times = 1 + chance.below(5); times > 0; times -= 1) spoilOnce(spoiled, hotspots, chance);
    if (fix && chance.below(5) > 0) fix(spoiled);
    const cut = chance.below(32) === 0 ? spoiled.subarray(0, chance.below(spoiled.length)) : spoiled;
    const { result, tookMs, tooLong } = await timeOfWork(() => exercise(target.driver, cut, round % 4 === 0 ? THOROUGH : BRIEF));
    slowestMs = Math.max(slowestMs, tookMs);
    outcomes[result.name] = (outcomes[result.name] ?? 0) + 1;
    const problem = result.problem ?? tooLong;
    if (problem) problems.push(`seed ${seed}, round ${round}, ${name}: ${problem}`);
    for (const { offset, length } of hotspots) spoiled.set(bytes.subarray(offset, offset + length), offset);
    if (fix && !fixStaysInHotspots) spoiled.set(bytes);
  }
  return { rounds, outcomes, problems, slowestMs };
}

interface Bounds {
  readonly entries: number;
  readonly content: number;
}
const THOROUGH: Bounds = { entries: MOST_ENTRIES, content: MOST_CONTENT };
const BRIEF: Bounds = { entries: FEW_ENTRIES, content: LITTLE_CONTENT };

async function exercise(driver: FileSystemDriver, bytes: Uint8Array, bounds: Bounds): Promise<{ name: string; problem?: string }> {
  const codes = new Set<string>();
  try {
    const system = await driver.open(volumeOf(bytes));
    await lookAround(system, codes, bounds);
    return { name: codes.size > 0 ? [...codes].sort().join('+') : 'read' };
  } catch (error) {
    if (isTyped(error)) return { name: error.code };
    return { name: 'problem', problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Walks and reads, within bounds; notes typed errors and goes on, as a person would. */
async function lookAround(system: FileSystem, codes: Set<string>, { entries, content }: Bounds): Promise<void> {
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isTyped(error)) throw error;
      codes.add(error.code);
      return undefined;
    }
  };
  const todo: FileNode[] = [await system.root()];
  const seen = new Set<string>();
  let left = entries;
  for (let directory = todo.pop(); directory && left > 0; directory = todo.pop()) {
    const here = directory;
    if (seen.has(here.id)) continue;
    seen.add(here.id);
    await attempt(async () => {
      for await (const entry of system.list(here)) {
        left -= 1;
        if (left <= 0) return;
        const node = await attempt(() => entry.node());
        if (left % 8 === 0) await attempt(() => system.find(here, entry.name));
        if (node?.type === 'dir') todo.push(node);
        if (node?.type === 'file') await attempt(() => readSome(system, node, content));
        if (node) await attempt(() => system.extras(node));
      }
    });
  }
  await attempt(async () => {
    let ranges = 0;
    for await (const _ of system.free()) {
      ranges += 1;
      if (ranges >= 200) return;
    }
  });
}

async function readSome(system: FileSystem, node: FileNode, most: number): Promise<void> {
  if (!Number.isSafeInteger(node.size) || node.size < 0) throw new Error(`a size of ${node.size}`);
  await system.allocation(node);
  const content = await system.open(node);
  const length = Math.min(content.sizeBytes, most);
  await content.read(0, new Uint8Array(length));
  if (content.sizeBytes > length) await content.read(content.sizeBytes - 1, new Uint8Array(1));
  await content.data({ offset: 0, length });
  const [stream] = node.streams ?? [];
  if (stream) await system.open(node, stream.name);
}

function volumeOf(bytes: Uint8Array): Volume {
  return {
    sizeBytes: bytes.length,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= bytes.length - offset;
      if (!inside) throw new ReadPastEndError('the volume', offset, into.length, bytes.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
  };
}

/** How a hostile volume may be refused. */
function isTyped(error: unknown): error is MabsError {
  return error instanceof MabsError && (error.kind === 'damaged' || error.kind === 'prerequisite');
}
