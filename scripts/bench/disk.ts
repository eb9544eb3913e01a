import { randomFillSync } from 'node:crypto';
import { cp, mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './measure.ts';

const SOURCES = ['/usr/lib', '/usr/share', '/usr/bin', '/usr/include'];

/**
 * Makes a raw disk that looks like a server's: ext4, about 55 % of it files from this machine's packages, 8 % incompressible, the
 * rest never written.
 */
export async function makeDisk(path: string, sizeBytes: number, workFolder: string): Promise<void> {
  const tree = join(workFolder, 'tree');
  await mkdir(tree, { recursive: true });
  await gatherFiles(tree, sizeBytes * 0.55);
  await writeRandomFile(join(tree, 'media.bin'), Math.floor(sizeBytes * 0.08));
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  await file.close();
  await run(['mke2fs', '-q', '-F', '-t', 'ext4', '-d', tree, path]);
  await rm(tree, { recursive: true, force: true });
}

async function gatherFiles(target: string, budgetBytes: number): Promise<void> {
  let left = budgetBytes;
  let number = 0;
  for (const source of SOURCES) {
    for await (const path of filesBelow(source)) {
      const { size } = await stat(path).catch(() => ({ size: 0 }));
      if (size === 0 || size > left) continue;
      const folder = join(target, String(Math.floor(number / 500)));
      if (number % 500 === 0) await mkdir(folder);
      await cp(path, join(folder, String(number)));
      number += 1;
      left -= Math.ceil(size / 4096) * 4096;
      if (left < 65_536) return;
    }
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

async function writeRandomFile(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'w');
  const piece = Buffer.alloc(4 << 20);
  for (let done = 0; done < sizeBytes; done += piece.length)
    await file.write(randomFillSync(piece), 0, Math.min(piece.length, sizeBytes - done));
  await file.close();
}
