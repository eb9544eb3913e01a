import type { Superblock } from './superblock.ts';

/** Versions of the hash in the index's root; the unsigned ones are only told apart by a flag of the superblock. */
const LEGACY = 0;
const TEA = 2;
const UNSIGNED = 3;
const LAST = 5;

/** SipHash, of encrypted directories that ignore case, needs a key. */
export const isHashKnown = (version: number) => version <= LAST;

/** The hash by which an index knows a name, its lowest bit zero (Linux, fs/ext4/hash.c). */
export function nameHash(name: Uint8Array, version: number, { raw, hasUnsignedHash }: Pick<Superblock, 'raw' | 'hasUnsignedHash'>): number {
  const isSigned = version < UNSIGNED && !hasUnsignedHash;
  const bytes = isSigned ? Int8Array.from(name) : name;
  const kind = version % UNSIGNED;
  const full = kind === LEGACY ? legacyHash(bytes) : kind === TEA ? teaHash(bytes, raw.hashSeed) : halfMd4Hash(bytes, raw.hashSeed);
  const hash = full & ~1;
  // The highest value marks the end of a directory.
  return (hash === END_OF_DIRECTORY ? END_OF_DIRECTORY - 2 : hash) >>> 0;
}

type NameBytes = ArrayLike<number>;
const END_OF_DIRECTORY = 0xffff_fffe | 0;

function legacyHash(name: NameBytes): number {
  let [last, former] = [0x12a3_fe2d, 0x37ab_e8f9];
  for (let index = 0; index < name.length; index += 1) {
    let hash = (former + (last ^ Math.imul(name[index]!, 7_152_373))) >>> 0;
    if (hash & 0x8000_0000) hash -= 0x7fff_ffff;
    [former, last] = [last, hash];
  }
  return last << 1;
}

function halfMd4Hash(name: NameBytes, seed: Uint8Array): number {
  const state = startState(seed);
  for (let at = 0; at < name.length; at += 32) halfMd4(state, chunk(name, at, 8));
  return state[1]!;
}

function teaHash(name: NameBytes, seed: Uint8Array): number {
  const state = startState(seed);
  for (let at = 0; at < name.length; at += 16) tea(state, chunk(name, at, 4));
  return state[0]!;
}

function startState(seed: Uint8Array): Int32Array {
  if (seed.every((byte) => byte === 0)) return Int32Array.of(0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476);
  const view = new DataView(seed.buffer, seed.byteOffset, 16);
  return Int32Array.from({ length: 4 }, (_, index) => view.getInt32(index * 4, true));
}

/** `words` words of the name from `start` on, padded with how much of it there is. */
function chunk(name: NameBytes, start: number, words: number): Int32Array {
  const rest = name.length - start;
  const pad = (rest & 0xff) * 0x0101_0101;
  const out = new Int32Array(words).fill(pad);
  const used = Math.min(rest, words * 4);
  for (let word = 0; word * 4 < used; word += 1) {
    let value = pad | 0;
    for (let at = word * 4; at < Math.min(word * 4 + 4, used); at += 1) value = (name[start + at]! + (value << 8)) | 0;
    out[word] = value;
  }
  return out;
}

const ROUNDS = [
  { mix: (x: number, y: number, z: number) => z ^ (x & (y ^ z)), add: 0, order: [0, 1, 2, 3, 4, 5, 6, 7], turns: [3, 7, 11, 19] },
  {
    mix: (x: number, y: number, z: number) => (x & y) + ((x ^ y) & z),
    add: 0x5a82_7999,
    order: [1, 3, 5, 7, 0, 2, 4, 6],
    turns: [3, 5, 9, 13],
  },
  { mix: (x: number, y: number, z: number) => x ^ y ^ z, add: 0x6ed9_eba1, order: [3, 7, 2, 6, 1, 5, 0, 4], turns: [3, 9, 11, 15] },
];

/** MD4 cut down to eight words and three short rounds. */
function halfMd4(state: Int32Array, input: Int32Array): void {
  const work = state.slice();
  for (const { mix, add, order, turns } of ROUNDS) {
    for (const [step, word] of order.entries()) {
      const a = (4 - (step % 4)) % 4;
      const [b, c, d] = [work[(a + 1) % 4]!, work[(a + 2) % 4]!, work[(a + 3) % 4]!];
      const sum = (work[a]! + mix(b, c, d) + input[word]! + add) | 0;
      const turn = turns[step % 4]!;
      work[a] = (sum << turn) | (sum >>> (32 - turn));
    }
  }
  for (const index of [0, 1, 2, 3]) state[index]! += work[index]!;
}

/** The Tiny Encryption Algorithm, 16 rounds; only two words of the state change. */
function tea(state: Int32Array, [a, b, c, d]: Int32Array): void {
  let [x, y, sum] = [state[0]!, state[1]!, 0];
  for (let round = 0; round < 16; round += 1) {
    sum = (sum + 0x9e37_79b9) | 0;
    x = (x + ((((y << 4) + a!) | 0) ^ ((y + sum) | 0) ^ (((y >>> 5) + b!) | 0))) | 0;
    y = (y + ((((x << 4) + c!) | 0) ^ ((x + sum) | 0) ^ (((x >>> 5) + d!) | 0))) | 0;
  }
  state[0]! += x;
  state[1]! += y;
}
