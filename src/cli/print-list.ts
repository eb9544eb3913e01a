import { safeJson } from './safe-text.ts';

/** Takes text; false when nobody reads on. */
type Write = (text: string) => Promise<boolean>;

/** Characters that are gathered before they are written. */
const PIECE = 64 * 1024;
/** Up to so many characters a list is kept until it is complete, so that a failure can still be told in its place. */
const KEPT = 1024 * 1024;

/** Something failed when a part of a JSON document was printed already; `cause` is what. */
export class DocumentBegunError extends Error {}

/** Prints a line for each item, as they come. What came before a failure is printed. */
export async function printLines<T>(items: AsyncIterable<T>, line: (item: T) => string, write: Write): Promise<void> {
  let piece = '';
  try {
    for await (const item of items) {
      piece += `${line(item)}\n`;
      if (piece.length < PIECE) continue;
      const taken = await write(piece);
      piece = '';
      if (!taken) return;
    }
  } finally {
    if (piece !== '') await write(piece);
  }
}

/**
 * A list as one JSON array, an item a line, written as the items come. A short one is not written but answered, complete. When reading
 * the items fails, a short one is nothing; a longer one is closed, so that it is a document all the same, and the failure is thrown as a
 * DocumentBegunError.
 */
export async function printJsonArray<T>(items: AsyncIterable<T>, write: Write): Promise<string | undefined> {
  let piece = '[';
  let begun = false;
  let empty = true;
  try {
    for await (const item of items) {
      piece += `${empty ? '' : ','}\n${safeJson(item)}`;
      empty = false;
      if (piece.length < (begun ? PIECE : KEPT)) continue;
      begun = true;
      if (!(await write(piece))) return undefined;
      piece = '';
    }
  } catch (error) {
    if (!begun) throw error;
    await write(`${piece}\n]\n`);
    throw new DocumentBegunError('a list was printed in part', { cause: error });
  }
  const rest = `${piece}${empty ? '' : '\n'}]`;
  if (!begun) return rest;
  await write(`${rest}\n`);
  return undefined;
}
