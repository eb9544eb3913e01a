import { MabsError } from '../../src/lib/errors.ts';
import { Chance, type FuzzReport, spoilOnce } from './disk-fuzzer.ts';
import { spoilJson } from './spoil-json.ts';
import { timeOfWork } from './time-of-work.ts';

/** Something that is read whole: an object of a pool, a file of a host. */
export interface ByteSample {
  readonly name: string;
  /** Bytes are spoiled as such, JSON as JSON too. */
  readonly content: Uint8Array | { readonly json: unknown };
  /** Makes checksums right again, so that what lies behind them is reached too. */
  readonly fix?: (bytes: Uint8Array) => void;
  /** Does with the spoiled content what mabs does with it. */
  readonly read: (bytes: Uint8Array) => Promise<void>;
}

/** Spoils samples `rounds` times, repeatably, and reads them: success or a typed error, within a second. */
export async function fuzzBytes(samples: readonly ByteSample[], { seed, rounds }: { seed: number; rounds: number }): Promise<FuzzReport> {
  const chance = new Chance(seed);
  const outcomes: Record<string, number> = {};
  const problems: string[] = [];
  let slowestMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const sample = samples[round % samples.length]!;
    const bytes = spoiled(sample, chance);
    const { result, tookMs, tooLong } = await timeOfWork(() => attempt(sample, bytes));
    slowestMs = Math.max(slowestMs, tookMs);
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
    const problem = result.problem ?? tooLong;
    if (problem) problems.push(`seed ${seed}, round ${round}, ${sample.name}: ${problem}`);
  }
  return { rounds, outcomes, problems, slowestMs };
}

async function attempt({ read }: ByteSample, bytes: Uint8Array): Promise<{ outcome: string; problem?: string }> {
  try {
    await read(bytes);
    return { outcome: 'read' };
  } catch (error) {
    if (error instanceof MabsError) return { outcome: error.code };
    return { outcome: 'problem', problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function spoiled({ content, fix }: ByteSample, chance: Chance): Uint8Array {
  const isJson = !(content instanceof Uint8Array);
  if (isJson && chance.below(8) > 0) return Buffer.from(JSON.stringify(spoilJson(content.json, chance)));
  const whole = isJson ? Buffer.from(JSON.stringify(content.json)) : Uint8Array.from(content);
  const bytes = chance.below(16) === 0 ? whole.subarray(0, chance.below(whole.length)) : whole;
  if (bytes.length === 0) return bytes;
  const hotspots = [
    { offset: 0, length: bytes.length },
    { offset: 0, length: Math.min(128, bytes.length) },
    { offset: Math.max(0, bytes.length - 160), length: Math.min(160, bytes.length) },
  ];
  for (let times = 1 + chance.below(4); times > 0; times -= 1) spoilOnce(bytes, hotspots, chance);
  if (chance.below(5) > 0) fix?.(bytes);
  return bytes;
}
