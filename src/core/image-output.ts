import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { flushFolder, isThere, retrySharing } from '../lib/durable-files.ts';
import { MabsError } from '../lib/errors.ts';
import { FileExistsError, FileMissingError, NotAFileError, TargetFullError } from '../lib/random-access-file.ts';

/** An output that names what is being read: the image itself or one of its parents. */
export class OutputIsInputError extends MabsError {
  readonly code = 'MABS-OUTPUT-IS-INPUT';
  readonly hint = 'Write to another file.';
  override readonly kind = 'usage';
  constructor(path: string) {
    super(`${path} is read at the same time, as the image or one of its parents`);
  }
}

export interface ImageOutput {
  readonly path: string;
  /** Replace a file that is there. */
  readonly overwrite: boolean;
  /** Files that are read meanwhile and never replaced. */
  readonly inputs: readonly string[];
}

/**
 * Has `fill` make a file under a temporary name beside the output and renames it when complete and durable: the output is there whole
 * or not at all. Whatever fails, an interruption too, the temporary file is removed.
 */
export async function writeImageFile<T>(output: ImageOutput, fill: (path: string) => Promise<T>): Promise<T> {
  await checkOutput(output);
  const { path } = output;
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.partial`);
  try {
    const result = await fill(partial);
    if (!output.overwrite && (await isThere(path))) throw new FileExistsError(path);
    await retrySharing(() => rename(partial, path));
    await flushFolder(dirname(path));
    return result;
  } catch (error) {
    await rm(partial, { force: true, maxRetries: 5 });
    // The user knows the output by its own name.
    throw error instanceof TargetFullError ? new TargetFullError(path, { cause: error }) : error;
  }
}

async function checkOutput({ path, overwrite, inputs }: ImageOutput): Promise<void> {
  if (!(await isThere(dirname(path)))) throw new FileMissingError(dirname(path));
  if (!(await isThere(path))) return;
  if ((await stat(path)).isDirectory()) throw new NotAFileError(path);
  const own = await realpath(path);
  for (const input of inputs) if ((await realpath(input)) === own) throw new OutputIsInputError(path);
  if (!overwrite) throw new FileExistsError(path);
}
