import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isZero } from '../../src/lib/zeros.ts';

/** Unpacks a file by its extension: gz by Node.js, xz and bz2 by the tools of the system. Zeros become holes. */
export async function unpack(packed: string, output: string): Promise<void> {
  await using file = await open(output, 'wx');
  let at = 0;
  for await (const chunk of contentOf(packed)) {
    const bytes = chunk as Buffer;
    if (!isZero(bytes)) await file.write(bytes, 0, bytes.length, at);
    at += bytes.length;
  }
  await file.truncate(at);
}

async function* contentOf(packed: string): AsyncGenerator<unknown> {
  if (packed.endsWith('.gz')) {
    yield* createReadStream(packed).pipe(createGunzip());
    return;
  }
  const child = spawn(packed.endsWith('.xz') ? 'xz' : 'bzip2', ['-dc', packed], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  yield* child.stdout as Readable;
  if ((await ended) !== 0) throw new Error(`${packed} could not be unpacked`);
}
