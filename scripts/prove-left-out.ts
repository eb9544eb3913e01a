/**
 * Proves what is left out with independent tools: `npm run prove:left-out -- [--page-file 1GiB] [--files DIR] [--keep]` (as root: the
 * disk is filled through a mount of ntfs-3g). A Windows-like disk gets files of this machine and a page, hibernation and swap file of
 * random bytes; qemu-img makes a VHDX of it, and the program backs it up. On a second day the page file moves, files come and go, and a
 * third file takes clusters that the page file gave up. Each day the point must not have cost a read or a byte for those files, its
 * restore must pass `ntfsfix --no-action`, and every other file, read through ntfs-3g, must be equal.
 */
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseSize } from '../src/lib/sizes.ts';
import { LeftOutLab } from './restores/left-out-lab.ts';
import { WindowsLikeDisk } from './restores/windows-like-disk.ts';

const { values } = parseArgs({
  options: { 'page-file': { type: 'string', default: '1GiB' }, files: { type: 'string', default: '/usr/lib' }, keep: { type: 'boolean' } },
});
let passed = 0;
let failed = 0;
const disk = await WindowsLikeDisk.make(parseSize(values['page-file']), values.files);
try {
  const lab = await LeftOutLab.make(disk);
  await oneDay(lab, 'a new disk');
  await disk.change();
  await oneDay(lab, 'the day after');
} finally {
  if (values.keep) console.log(`kept: ${disk.folder}`);
  else await rm(disk.folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function oneDay(lab: LeftOutLab, day: string): Promise<void> {
  console.log(`== ${day}`);
  const files = await disk.hashes();
  const { pointId, tracking, bytesScanned, bytesStored, leftOut, mostScanned, poolBytes } = await lab.backUp();
  console.log(`   ${tracking}: scanned ${bytesScanned}, stored ${bytesStored}, left out ${leftOut}, pool ${poolBytes}`);
  check('the page files are left out, every cluster of them', leftOut, await disk.scratchBytes());
  check(`no byte of them is read (at most ${mostScanned} were to be)`, bytesScanned <= mostScanned, true);
  check('no byte of them is stored', bytesStored <= bytesScanned, true);
  const raw = await lab.restore(pointId);
  check('the restored disk differs in nothing that is not left out', await lab.differsOutside(raw), 0);
  const volume = await disk.volumeOf(raw);
  check('ntfsfix finds the restored volume sound', await disk.isSound(volume), true);
  check('its page files read as zeros', await disk.hasZeroScratch(volume), true);
  const restored = await disk.hashes(volume);
  check('it has as many files', restored.size, files.size);
  check(`its other files are equal (${files.size - 3})`, [...files].filter(([name, hash]) => restored.get(name) !== hash).length, 0);
}

function check(what: string, found: unknown, expected: unknown): void {
  const isRight = found === expected;
  if (isRight) passed += 1;
  else failed += 1;
  console.log(`${isRight ? 'ok  ' : 'FAIL'} ${what}${isRight ? '' : `: ${found} instead of ${expected}`}`);
}
