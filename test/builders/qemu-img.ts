import { execFile, spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Whether this machine has qemu-img, an independent reader and writer of images. */
export const hasQemuImg = spawnSync('qemu-img', ['--version']).status === 0;

const run = promisify(execFile);

/** Runs qemu-img; rejects when it fails. */
export async function qemuImg(...words: string[]): Promise<string> {
  return (await run('qemu-img', words)).stdout;
}

/** Rejects unless qemu-img reads an image as exactly this content and this size. */
export async function compareWithQemu(path: string, format: 'vpc' | 'vhdx', content: Uint8Array): Promise<void> {
  const raw = `${path}.expected`;
  await writeFile(raw, content);
  try {
    const info = JSON.parse(await qemuImg('info', '--output=json', '-f', format, path));
    if (info['virtual-size'] !== content.length) throw new Error(`${path}: qemu-img reads ${info['virtual-size']} bytes`);
    await qemuImg('compare', '-f', format, '-F', 'raw', path, raw);
  } finally {
    await rm(raw);
  }
}
