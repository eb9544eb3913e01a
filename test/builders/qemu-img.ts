import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';

const run = promisify(execFile);

/** Runs qemu-img; `undefined` where it is not installed. A failure rejects with what it printed. */
export async function qemuImg(...args: string[]): Promise<string | undefined> {
  try {
    return (await run('qemu-img', args)).stdout;
  } catch (error) {
    if (error instanceof Object && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** An independent reader finds the image in order and sees `content` in it (nothing is claimed where qemu-img is missing). */
export async function expectQemuAgrees(path: string, format: 'vhdx' | 'vpc', content: Uint8Array): Promise<void> {
  // qemu-img can check VHDX, but not VHD.
  if (format === 'vhdx') await qemuImg('check', '-q', '-f', format, path);
  const raw = `${path}.expected.raw`;
  await writeFile(raw, content);
  const answer = await qemuImg('compare', '-f', format, '-F', 'raw', path, raw);
  if (answer !== undefined) expect(answer).toContain('Images are identical');
  await rm(raw);
}
