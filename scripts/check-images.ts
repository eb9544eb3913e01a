/**
 * Reads real disk images and compares what mabs says of them with their ground truth: `npm run check:images -- DIR`, or DIR in
 * MABS_IMAGES. DIR holds `truth/NAME.json` and the compressed images they name. Exit code 1 when anything differs.
 * `--only TEXT` takes the images whose name has it; `--max-size N` leaves out images and content of disks above N MiB.
 */
import { parseArgs } from 'node:util';
import { checkImages } from './images/check-images.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, 'max-size': { type: 'string' } },
});
const folder = positionals[0] ?? process.env.MABS_IMAGES;
if (!folder) {
  console.error('Name the folder of images: npm run check:images -- DIR');
  process.exit(2);
}
const maxBytes = values['max-size'] ? Number(values['max-size']) * 1024 * 1024 : Number.POSITIVE_INFINITY;
let passed = 0;
let failed = 0;
for await (const { name, checked, problems } of checkImages(folder, { maxBytes, ...(values.only && { only: values.only }) })) {
  if (problems.length === 0) passed++;
  else failed++;
  console.log(`${problems.length === 0 ? 'passed' : 'FAILED'}  ${name.padEnd(44)} ${[...checked, ...problems].join('; ')}`);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
