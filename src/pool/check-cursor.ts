import { z } from 'zod';
import { assertOwned, FencedError } from './pool-owner.ts';
import type { WriterParts } from './pool-writer.ts';

const OWNER = 'pool';
/** `after`: the last pack that was read, in the order of names; absent when a check came to its end. */
const cursorSchema = z.object({ after: z.string().optional() });

type Parts = Pick<WriterParts, 'pool' | 'records'>;

/** Where a check that ended by its budget has stopped. */
export async function readCursor({ records }: Parts): Promise<string | undefined> {
  const record = await records.latest('check', OWNER);
  return cursorSchema.safeParse(record?.payload).data?.after;
}

/** Remembers where a check stopped. A home that does not own the pool writes nothing: it begins anew next time. */
export async function writeCursor({ pool, records }: Parts, after: string | undefined): Promise<void> {
  if (after === undefined && (await records.latest('check', OWNER)) === undefined) return;
  try {
    await assertOwned(pool, records);
  } catch (error) {
    if (error instanceof FencedError) return;
    throw error;
  }
  await records.put('check', OWNER, after === undefined ? {} : { after });
}

/** The names that are still to be read. */
export function nextCursor(names: readonly string[], after: string | undefined): string[] {
  return names.filter((name) => after === undefined || name > after);
}
