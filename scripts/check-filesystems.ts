/**
 * Makes images with the tools of Linux, thousands of files on each, and compares everything that mabs reads from them with what the
 * kernel, ntfs-3g, exfat-fuse or mtools reads: npm run check:filesystems [-- --only TEXT] [--quick] [--seed 1]
 * Needs root. What this machine cannot make is skipped, and said. Exit code 1 when anything differs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareImage } from './filesystems/compare-image.ts';
import type { ContentOptions } from './filesystems/content.ts';
import { CannotMakeError, makeImage } from './filesystems/make-image.ts';
import { VARIANTS, type Variant } from './filesystems/variants.ts';
import { compareVolumeGroup } from './filesystems/volume-group.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
});
const MIB = 1024 * 1024;
const content: ContentOptions = {
  seed: Number(values.seed),
  many: values.quick ? 300 : 3000,
  largeBytes: (values.quick ? 2 : 24) * MIB,
  sparseBytes: 200 * MIB,
  posix: true,
  windowsNames: false,
  hardLinks: true,
};

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const variant of VARIANTS)
  if (variant.name.includes(values.only)) await judge(variant.name, (folder) => compareVariant(variant, folder));
if ('lvm'.includes(values.only))
  await judge('lvm: ext4 and xfs on linear and striped volumes', (folder) => compareVolumeGroup(folder, content));
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

async function compareVariant(variant: Variant, folder: string) {
  const made = makeImage(variant, folder, { ...content, ...(values.quick && { sparseBytes: 0 }) });
  const { timeUnit = 1n, lastSecond = Number.MAX_SAFE_INTEGER, posix } = variant;
  return await compareImage(made, { timeUnit, lastSecond, posix });
}

async function judge(name: string, compare: (folder: string) => Promise<{ files: number; bytes: number; problems: string[] }>) {
  const folder = mkdtempSync(join(tmpdir(), 'mabs-filesystems-'));
  try {
    const { files, bytes, problems } = await compare(folder);
    const verdict = problems.length === 0 ? 'passed' : 'failed';
    counts[verdict] += 1;
    console.log(`${verdict === 'failed' ? 'FAILED' : verdict}  ${name.padEnd(48)} ${files} files, ${Math.round(bytes / MIB)} MiB`);
    for (const problem of problems.slice(0, 10)) console.log(`          ${problem}`);
    if (problems.length > 10) console.log(`          and ${problems.length - 10} more`);
  } catch (error) {
    if (!(error instanceof CannotMakeError)) throw error;
    counts.skipped += 1;
    console.log(`SKIPPED ${name.padEnd(48)} ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
