import { decompressLznt1 } from '../../src/filesystems/ntfs/compression/lznt1.ts';
import { decompressLzx } from '../../src/filesystems/ntfs/compression/lzx.ts';
import { openWofContent, type WofAlgorithm } from '../../src/filesystems/ntfs/compression/wof-content.ts';
import { decompressXpressHuffman } from '../../src/filesystems/ntfs/compression/xpress-huffman.ts';
import { MabsError } from '../../src/lib/errors.ts';
import { compressedSamples, contentOf } from './compressed-samples.ts';
import { Chance, type FuzzReport, spoilOnce } from './disk-fuzzer.ts';
import { timeOfWork } from './time-of-work.ts';

const WOF = ['xpress4k', 'lzx', 'xpress8k', 'xpress16k'];
const CHUNK_BYTES = [4096, 32_768, 8192, 16_384];
const GUARD = 0xa5;

/** Takes compressed data, or noise, and answers what came out of it. */
type Attempt = (input: Uint8Array) => Promise<void>;

/** Spoils what others compressed, and noise, `rounds` times, repeatably, and decompresses it. */
export async function fuzzCompression({ seed, rounds }: { seed: number; rounds: number }): Promise<FuzzReport> {
  const chance = new Chance(seed);
  const targets = (await compressedSamples()).flatMap(({ name, size, stored }) => {
    const algorithm = WOF.indexOf(name) as WofAlgorithm;
    if (!WOF.includes(name)) return [{ stored, attempt: guarded((input, into) => void decompressLznt1(input, into), 65_536) }];
    const chunkBytes = CHUNK_BYTES[algorithm]!;
    const chunk = stored.subarray((Math.ceil(size / chunkBytes) - 1) * 4);
    const single = guarded(name === 'lzx' ? decompressLzx : decompressXpressHuffman, chunkBytes);
    const wof: Attempt = async (input) => (await openWofContent(contentOf(input), size, algorithm)).read(0, new Uint8Array(size));
    return [
      { stored: chunk.subarray(0, chunkBytes), attempt: single },
      { stored, attempt: wof },
    ];
  });
  const outcomes: Record<string, number> = {};
  const problems: string[] = [];
  let slowestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const { stored, attempt } = targets[round % targets.length]!;
    const input = spoiled(stored, chance);
    const { result, tookMs, tooLong } = await timeOfWork(() => outcomeOf(attempt, input));
    slowestMs = Math.max(slowestMs, tookMs);
    outcomes[result.name] = (outcomes[result.name] ?? 0) + 1;
    const problem = result.problem ?? tooLong;
    if (problem) problems.push(`seed ${seed}, round ${round}: ${problem}`);
  }
  return { rounds, outcomes, problems, slowestMs };
}

/** Decompresses into the middle of a buffer and looks whether anything around it changed. */
function guarded(decompress: (input: Uint8Array, into: Uint8Array) => void, size: number): Attempt {
  const buffer = new Uint8Array(size + 512).fill(GUARD);
  return async (input) => {
    let failure: unknown;
    try {
      decompress(input, buffer.subarray(256, 256 + size));
    } catch (error) {
      failure = error;
    }
    const isWhole = [...buffer.subarray(0, 256), ...buffer.subarray(256 + size)].every((byte) => byte === GUARD);
    if (!isWhole) throw new Error('wrote outside of its place');
    if (failure) throw failure;
  };
}

function spoiled(stored: Uint8Array, chance: Chance): Uint8Array {
  const input = stored.slice();
  // What is spoiled early spoils all that follows: half of the rounds spare the first nine tenths.
  const from = chance.below(2) === 0 ? 0 : Math.floor(input.length * 0.9);
  for (let times = 1 + chance.below(3); times > 0; times--) spoilOnce(input, [{ offset: from, length: input.length - from }], chance);
  if (chance.below(16) === 0) for (let at = 0; at < input.length; at++) input[at] = chance.below(256);
  return chance.below(16) === 0 ? input.subarray(0, chance.below(input.length)) : input;
}

async function outcomeOf(attempt: Attempt, input: Uint8Array): Promise<{ name: string; problem?: string }> {
  try {
    await attempt(input);
    return { name: 'read' };
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged' && !(error.cause && !(error.cause instanceof MabsError)))
      return { name: error.code };
    return { name: 'problem', problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
