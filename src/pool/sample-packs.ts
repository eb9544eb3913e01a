import type { Random } from '../lib/random.ts';

const LEAST = 4;
const SHARE = 0.01;

/** Some packs by chance: one in a hundred, four at least. */
export function samplePacks(names: readonly string[], random: Random): string[] {
  const count = Math.min(names.length, Math.max(LEAST, Math.ceil(names.length * SHARE)));
  const left = [...names];
  const chosen: string[] = [];
  for (let picked = 0; picked < count; picked += 1) {
    const at = Buffer.from(random.bytes(4)).readUInt32LE(0) % left.length;
    chosen.push(...left.splice(at, 1));
  }
  return chosen.sort();
}
