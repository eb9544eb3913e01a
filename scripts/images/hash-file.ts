import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { alignedBuffer } from '../../src/lib/aligned-buffer.ts';

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const digest = createHash('sha256');
  const buffer = alignedBuffer(4 * 1024 * 1024);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return digest.digest('hex');
    digest.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
