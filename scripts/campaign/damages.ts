import type { BlobStore } from '../../src/stores/blob-store.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What happens to one object of a pool. */
export interface DamageKind {
  readonly name: string;
  /** How often it is done to each object, each time elsewhere. */
  readonly times: number;
  /** False when it would change nothing. `siblings`: objects of the same kind, this one not among them. */
  apply(store: BlobStore, name: string, siblings: readonly string[], random: SeededRandom): Promise<boolean>;
}

type Change = (bytes: Buffer, random: SeededRandom) => Buffer;

export const DAMAGES: readonly DamageKind[] = [
  changed('one flipped bit', 6, (bytes, { below }) => {
    bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  }),
  changed('one flipped bit at the beginning', 2, (bytes, { below }) => {
    bytes[below(Math.min(128, bytes.length))]! ^= 1 << below(8);
    return bytes;
  }),
  changed('one flipped bit at the end', 3, (bytes, { below }) => {
    bytes[bytes.length - 1 - below(Math.min(320, bytes.length))]! ^= 1 << below(8);
    return bytes;
  }),
  changed('4 KiB of zeros', 3, (bytes, { below }) => {
    const at = Math.floor(below(bytes.length) / 4096) * 4096;
    return bytes.fill(0, at, Math.min(at + 4096, bytes.length));
  }),
  changed('truncated', 2, (bytes, { below }) => bytes.subarray(0, below(bytes.length))),
  changed('emptied', 1, () => Buffer.alloc(0)),
  changed('longer', 1, (bytes, { bytes: more }) => Buffer.concat([bytes, more(64)])),
  {
    name: 'deleted',
    times: 1,
    apply: async (store, name) => {
      await store.remove(name);
      return true;
    },
  },
  {
    name: 'swapped with a sibling',
    times: 1,
    async apply(store, name, siblings, random) {
      if (siblings.length === 0) return false;
      const other = random.pick(siblings);
      const [own, others] = [await store.get(name), await store.get(other)];
      await put(store, name, others);
      await put(store, other, own);
      return true;
    },
  },
  {
    name: 'an older one in its place',
    times: 1,
    async apply(store, name, siblings) {
      const older = siblings
        .filter((sibling) => sibling < name)
        .sort()
        .at(-1);
      if (older === undefined) return false;
      await put(store, name, await store.get(older));
      return true;
    },
  },
];

function changed(name: string, times: number, change: Change): DamageKind {
  return {
    name,
    times,
    async apply(store, object, _siblings, random) {
      const before = await store.get(object);
      const after = change(Buffer.from(before), random);
      if (after.equals(before)) return false;
      await put(store, object, after);
      return true;
    },
  };
}

async function put(store: BlobStore, name: string, bytes: Uint8Array): Promise<void> {
  await store.remove(name);
  await store.put(name, bytes);
}
