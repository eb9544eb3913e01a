import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../lib/errors.ts';
import { makeFolders } from '../lib/make-folders.ts';
import type { Random } from '../lib/random.ts';
import { removeFileDurably, replaceFile } from '../lib/replace-file.ts';
import type { Home, JournalEntry } from './ports.ts';

const ID = /^[A-Za-z0-9._-]{1,100}$/;

const entrySchema = z.object({
  id: z.string().regex(ID),
  kind: z.enum(['capture', 'recovery']),
  host: z.string(),
  vmId: z.string(),
  vmName: z.string(),
  at: z.string(),
  lock: z.string(),
  facts: z.record(z.string(), z.unknown()),
});

/** A journal with one file to an entry, so that processes never write the same file. */
export function openJournal(folder: string, random: Random): Home['journal'] {
  const fileOf = (id: string) => {
    if (!ID.test(id)) throw new Error(`${JSON.stringify(id)} cannot be the id of a journal entry`);
    return join(folder, `${id}.json`);
  };
  return {
    async put(entry) {
      await makeFolders(folder, 0o700);
      await replaceFile(fileOf(entry.id), JSON.stringify(entry), random.uuid());
    },
    remove: (id) => removeFileDurably(fileOf(id)),
    async list() {
      const entries: JournalEntry[] = [];
      for (const name of (await namesIn(folder)).filter((file) => file.endsWith('.json')).sort()) {
        const entry = await readEntry(join(folder, name));
        if (entry) entries.push(entry);
      }
      return entries;
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** An entry that went away meanwhile was cleaned up by its owner; one that nobody can read names nothing to clean up. */
async function readEntry(path: string): Promise<JournalEntry | undefined> {
  try {
    return entrySchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
