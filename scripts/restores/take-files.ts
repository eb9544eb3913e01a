import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface TakenFile {
  readonly path: string;
  readonly size: number;
}

/** Regular, readable files under a folder, in a repeatable order, until they come to `maxBytes`; none above an eighth of that. */
export async function takeFiles(folder: string, maxBytes: number): Promise<TakenFile[]> {
  const taken: TakenFile[] = [];
  let left = maxBytes;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || left <= 0) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    if (size === 0 || size > Math.min(left, maxBytes / 8)) continue;
    taken.push({ path, size });
    left -= size;
  }
  return taken;
}
