/**
 * Hostile names restored under the rules of Linux and of Windows, by turns: `node scripts/campaign-names.ts [--names 100000] [--seed 1]`.
 * Two hundred classes made by hand, and what chance makes of them. Nothing may lie outside the target, and every name must have a way back.
 */
import { parseArgs } from 'node:util';
import { HOSTILE_CLASSES } from '../test/builders/hostile-names.ts';
import { type HostileRestore, restoreHostileNames } from '../test/builders/hostile-restore.ts';
import { type SeededRandom, seededRandom } from './campaign/seeded-random.ts';

const { values } = parseArgs({ options: { names: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const AT_A_TIME = 2500;
const FOLDERS_AT_A_TIME = 50;
const WAYS: readonly Pick<HostileRestore, 'rules' | 'anchors' | 'origin'>[] = [
  { rules: 'posix', anchors: 'descriptors', origin: 'bytes' },
  { rules: 'windows', anchors: 'descriptors', origin: 'utf16' },
  { rules: 'posix', anchors: 'paths', origin: 'utf16' },
  { rules: 'windows', anchors: 'paths', origin: 'bytes' },
];

const wanted = Number(values.names);
let restored = 0;
let wrong = 0;
for (let round = 0; restored < wanted; round += 1) {
  const random = seededRandom(Number(values.seed) + round);
  const count = Math.min(AT_A_TIME, wanted - restored);
  const names = Array.from({ length: count }, () => aName(random));
  const folders = Array.from({ length: FOLDERS_AT_A_TIME }, () => aName(random));
  const found = await restoreHostileNames({ ...WAYS[round % WAYS.length]!, names, folders });
  for (const what of found.slice(0, 20)) console.error(`seed ${Number(values.seed) + round}: ${what}`);
  wrong += found.length;
  restored += count;
  if (round % 8 === 7) console.error(`${restored} names`);
}
console.log(`${restored} names: ${wrong} wrong`);
console.log(wrong === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
if (wrong > 0) process.exitCode = 1;

/** One or two classes, joined, cut, repeated, turned in case, with a unit or two put into them. */
function aName(random: SeededRandom): string {
  let name = random.pick(HOSTILE_CLASSES);
  for (let change = random.below(4); change > 0; change -= 1) {
    const at = random.below(name.length + 1);
    const other = random.pick(HOSTILE_CLASSES).slice(0, 300);
    const changed = [
      () => name + other,
      () => `${name}/${other}`,
      () => `${name}.${other}`,
      () => name.slice(0, at),
      () => name.slice(at),
      () => name.toUpperCase(),
      () => name.toLowerCase(),
      () => name.normalize(random.pick(['NFC', 'NFD', 'NFKC', 'NFKD'] as const)),
      () => name.slice(0, at) + String.fromCharCode(random.below(65_536)) + name.slice(at),
      () => name.slice(0, at) + String.fromCharCode(random.below(128)) + name.slice(at),
    ];
    name = random.pick(changed)().slice(0, 5000);
  }
  return name;
}
