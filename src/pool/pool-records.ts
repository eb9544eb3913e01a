import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import { getJson, putJson } from './json-object.ts';
import { ObjectKind } from './object-envelope.ts';
import type { PoolRecord, RecordKind } from './pool.ts';
import { type PoolContext, withPoolLock } from './pool-context.ts';

/** Owners become parts of file names on every system, so they are lower case, and no name of a device. */
const OWNER = /^(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9][a-z0-9_-]{0,99}$/;
const recordSchema = z.object({ version: z.literal(1), payload: z.unknown() });
/** Former records that stay beside the one that counts. */
const KEPT_FORMER = 1;

const folderOf = (kind: RecordKind, owner: string) => `records/${kind}/${owner}/`;
const nameOf = (kind: RecordKind, owner: string, number: number) => `${folderOf(kind, owner)}${String(number).padStart(8, '0')}`;

/** The pool's numbered, write-once records. Records never change, so what was read once is kept. */
export class PoolRecords {
  readonly #pool: PoolContext;
  readonly #read = new Map<string, unknown>();

  constructor(pool: PoolContext) {
    this.#pool = pool;
  }

  /** Writes the next record of an owner, durable when this resolves, and removes those that it makes superfluous. */
  async put(kind: RecordKind, owner: string, payload: unknown): Promise<PoolRecord> {
    checkOwner(owner);
    return await withPoolLock(this.#pool, 'commit', async () => {
      const numbers = await this.numbers(kind, owner);
      const number = (numbers.at(-1) ?? 0) + 1;
      await this.putNumber(kind, owner, number, payload);
      for (const former of numbers.slice(0, -KEPT_FORMER)) await this.#pool.store.remove(nameOf(kind, owner, former));
      return { kind, owner, number, payload };
    });
  }

  /** Writes a record of a given number; MABS-BLOB-EXISTS when there is one. */
  async putNumber(kind: RecordKind, owner: string, number: number, payload: unknown): Promise<void> {
    await putJson(this.#pool, nameOf(kind, owner, number), ObjectKind.record, { version: 1, payload });
  }

  async latest(kind: RecordKind, owner: string): Promise<PoolRecord | undefined> {
    checkOwner(owner);
    const number = (await this.numbers(kind, owner)).at(-1);
    return number === undefined ? undefined : { kind, owner, number, payload: await this.#payload(kind, owner, number) };
  }

  /**
   * The record that counts of each owner. One that is damaged gives way to the one before it, if that is still there, or is left
   * out, so that the rest of the pool stays usable; `check` tells it.
   */
  async allLatest(kind: RecordKind): Promise<Map<string, PoolRecord>> {
    const numbers = new Map<string, number[]>();
    for await (const { name } of this.#pool.store.list(`records/${kind}/`)) {
      const [, , owner, digits] = name.split('/');
      if (!owner || !digits || !/^\d{8}$/.test(digits)) continue;
      numbers.set(owner, [...(numbers.get(owner) ?? []), Number(digits)]);
    }
    const records = new Map<string, PoolRecord>();
    for (const [owner, all] of numbers) {
      const record = await this.#newestIntact(kind, owner, all);
      if (record) records.set(owner, record);
    }
    return records;
  }

  async #newestIntact(kind: RecordKind, owner: string, numbers: readonly number[]): Promise<PoolRecord | undefined> {
    for (const number of numbers.toSorted((a, b) => b - a)) {
      try {
        return { kind, owner, number, payload: await this.#payload(kind, owner, number) };
      } catch (error) {
        if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      }
    }
    return undefined;
  }

  /** Numbers of an owner's records, ascending. */
  async numbers(kind: RecordKind, owner: string): Promise<number[]> {
    const folder = folderOf(kind, owner);
    const names = (await Array.fromAsync(this.#pool.store.list(folder))).map(({ name }) => name.slice(folder.length));
    return names
      .filter((name) => /^\d{8}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The payload of one record. */
  async read(kind: RecordKind, owner: string, number: number): Promise<unknown> {
    return await this.#payload(kind, owner, number);
  }

  /** Removes all records of an owner, the highest last, so that a crash never brings an older one back. */
  async removeAll(kind: RecordKind, owner: string): Promise<void> {
    for (const number of await this.numbers(kind, owner)) await this.#pool.store.remove(nameOf(kind, owner, number));
  }

  async #payload(kind: RecordKind, owner: string, number: number): Promise<unknown> {
    const name = nameOf(kind, owner, number);
    if (!this.#read.has(name)) {
      const { payload } = await getJson(this.#pool, name, ObjectKind.record, recordSchema);
      this.#read.set(name, payload);
    }
    return structuredClone(this.#read.get(name));
  }
}

function checkOwner(owner: string): void {
  if (!OWNER.test(owner)) throw new Error(`not an owner of records: ${JSON.stringify(owner.slice(0, 120))}`);
}
