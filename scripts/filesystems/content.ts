import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Chance } from '../../test/builders/disk-fuzzer.ts';

/** What a file system can hold, and how much of it is wanted. */
export interface ContentOptions {
  readonly seed: number;
  /** Files in the one large folder. */
  readonly many: number;
  /** Bytes of the largest file that is written out. */
  readonly largeBytes: number;
  /** Size of a sparse file; 0: none. */
  readonly sparseBytes: number;
  /** Links, modes, special files, names of any bytes. */
  readonly posix: boolean;
  /** Names that Windows refuses are left out. */
  readonly windowsNames: boolean;
  /** Hard links (NTFS has them, FAT has not). */
  readonly hardLinks: boolean;
}

const NAMES = [
  'plain.txt',
  'With Spaces and (brackets) [1].docx',
  'UPPER lower MiXeD.TXT',
  'Überstraße äöü ß.txt',
  'naïve café — déjà vu.txt',
  'Приветствие мир.txt',
  'Ελληνικά αρχεία.txt',
  '日本語のファイル名.txt',
  '简体中文文件.txt',
  '한국어 파일.txt',
  'العربية ملف.txt',
  'עברית קובץ.txt',
  'हिन्दी फ़ाइल.txt',
  'ไทย ไฟล์.txt',
  'e\u0301 decomposed.txt',
  '\u00e9 composed.txt',
  'emoji \u{1f600}\u{1f9d1}\u200d\u{1f4bb}.txt',
  '\u{20000} beyond the first plane.txt',
  '.hidden',
  '-dash',
  '~tilde',
  'semi;colon & ampersand $dollar `tick`',
  "it's",
  '%percent% #hash @at !bang',
  'a'.repeat(200),
];
/** 255 bytes of UTF-8 that are 85 characters. */
const LONG_WIDE = '語'.repeat(85);
const POSIX_NAMES: (string | Buffer)[] = [
  'back\\slash',
  'new\nline',
  'tab\there',
  'trailing dot.',
  'trailing space ',
  'con',
  'a:b',
  'star*question?pipe|quote"less<more>',
  'b'.repeat(255),
  Buffer.from([0x62, 0x61, 0x64, 0xff, 0xfe, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
];

/** Fills a folder with everything that makes a reader of file systems stumble. */
export function fillFolder(folder: string, options: ContentOptions): void {
  const chance = new Chance(options.seed);
  const { many, posix, windowsNames } = options;
  manyFiles(`${folder}/many`, many, chance);
  mkdirSync(`${folder}/names`);
  const names: (string | Buffer)[] = [...NAMES, LONG_WIDE, ...(posix && !windowsNames ? POSIX_NAMES : [])];
  for (const name of names)
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/names/`), Buffer.from(name)]), randomBytes(chance, chance.below(3000)));
  deepFolders(`${folder}/deep`, chance);
  largeFiles(`${folder}/large`, options, chance);
  fragmentedFiles(`${folder}/fragmented`, chance);
  comeAndGo(`${folder}/left`, chance);
  oddSizes(`${folder}/sizes`, chance);
  oddTimes(`${folder}/times`, posix);
  if (options.hardLinks) hardLinks(`${folder}/hard`);
  if (posix) posixThings(`${folder}/posix`);
}

function randomBytes(chance: Chance, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = chance.below(256);
  return bytes;
}

function manyFiles(folder: string, count: number, chance: Chance): void {
  mkdirSync(folder);
  for (let index = 0; index < count; index += 1) {
    writeFileSync(
      `${folder}/file number ${String(index).padStart(6, '0')} ${'x'.repeat(index % 60)}.dat`,
      randomBytes(chance, index % 700),
    );
  }
}

function deepFolders(folder: string, chance: Chance): void {
  let path = folder;
  mkdirSync(path);
  for (let depth = 0; depth < 60; depth += 1) {
    path += `/level ${depth}`;
    mkdirSync(path);
    writeFileSync(`${path}/at ${depth}`, randomBytes(chance, 100));
  }
}

function largeFiles(folder: string, { largeBytes, sparseBytes }: ContentOptions, chance: Chance): void {
  mkdirSync(folder);
  const piece = randomBytes(chance, 1024 * 1024);
  const large = openSync(`${folder}/large.bin`, 'w');
  for (let at = 0; at < largeBytes; at += piece.length) {
    piece.writeUInt32LE(at / piece.length);
    writeSync(large, piece, 0, Math.min(piece.length, largeBytes - at));
  }
  closeSync(large);
  writeFileSync(`${folder}/zeros.bin`, Buffer.alloc(3_000_000));
  if (sparseBytes === 0) return;
  const sparse = openSync(`${folder}/sparse.bin`, 'w');
  for (let island = 0; island < 20; island += 1) {
    const at = Math.floor((sparseBytes / 20) * island + chance.below(4096));
    writeSync(sparse, piece, 0, 5000 + chance.below(60_000), at);
  }
  ftruncateSync(sparse, sparseBytes);
  closeSync(sparse);
}

/** Three files that grow in turns, each turn made durable, so that none finds room behind itself. */
function fragmentedFiles(folder: string, chance: Chance): void {
  mkdirSync(folder);
  const files = [0, 1, 2].map((index) => openSync(`${folder}/part ${index}`, 'w'));
  for (let turn = 0; turn < 120; turn += 1) {
    for (const file of files) {
      writeSync(file, randomBytes(chance, 4096 + chance.below(9000)));
      if (turn % 4 === 0) fsyncSync(file);
    }
  }
  for (const file of files) closeSync(file);
}

/** Files that are renamed and removed: what is left of their names must not be listed. */
function comeAndGo(folder: string, chance: Chance): void {
  mkdirSync(folder);
  for (let index = 0; index < 400; index += 1) writeFileSync(`${folder}/temporary ${index}`, randomBytes(chance, 50));
  for (let index = 0; index < 400; index += 1) {
    if (index % 3 === 0) rmSync(`${folder}/temporary ${index}`);
    else if (index % 3 === 1) renameSync(`${folder}/temporary ${index}`, `${folder}/renamed to something that is longer ${index}`);
  }
}

function oddSizes(folder: string, chance: Chance): void {
  mkdirSync(folder);
  for (const size of [
    0, 1, 59, 60, 61, 127, 128, 155, 156, 511, 512, 513, 700, 1023, 1024, 1025, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_577,
  ]) {
    writeFileSync(`${folder}/${size}`, randomBytes(chance, size));
  }
  // Larger than was ever written.
  const grown = openSync(`${folder}/grown`, 'w');
  writeSync(grown, 'the beginning');
  ftruncateSync(grown, 300_000);
  closeSync(grown);
}

function oddTimes(folder: string, posix: boolean): void {
  mkdirSync(folder);
  const seconds = posix ? [0, 1, 2 ** 31 - 1, 2 ** 31, 4_000_000_000, -86_400] : [315_619_200, 1_000_000_000, 4_000_000_000];
  for (const second of seconds) {
    writeFileSync(`${folder}/${second}`, 'x');
    utimesSync(`${folder}/${second}`, second, second);
  }
}

function hardLinks(folder: string): void {
  mkdirSync(folder);
  writeFileSync(`${folder}/first`, 'one file, several names');
  for (let index = 0; index < 5; index += 1) linkSync(`${folder}/first`, `${folder}/name ${index}`);
}

function posixThings(folder: string): void {
  mkdirSync(folder);
  for (const [name, target] of [
    ['short', '../sizes/1'],
    ['dangling', 'nowhere'],
    ['absolute', '/etc/passwd'],
    ['circle', 'circle'],
    ['sixty', 'x'.repeat(60)],
    ['fifty nine', 'x'.repeat(59)],
    ['long', `${'long/'.repeat(150)}end`],
    ['längst', 'ziel ü'],
    ['longest', 'y'.repeat(1000)],
  ] as const) {
    symlinkSync(target, `${folder}/${name}`);
    lutimesSync(`${folder}/${name}`, 1_234_567_890, 1_234_567_890);
  }
  for (const mode of [0o000, 0o400, 0o755, 0o4755, 0o2711, 0o1777]) {
    writeFileSync(`${folder}/mode ${mode.toString(8)}`, 'm');
    chmodSync(`${folder}/mode ${mode.toString(8)}`, mode);
  }
  execFileSync('mkfifo', [`${folder}/fifo`]);
  execFileSync('mknod', [`${folder}/block`, 'b', '7', '300']);
  execFileSync('mknod', [`${folder}/character`, 'c', '1', '3']);
  for (let index = 0; index < 12; index += 1)
    execFileSync('setfattr', ['-n', `user.attribute${index}`, '-v', 'v'.repeat(20), `${folder}/mode 755`]);
}
