import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContentOptions, fillFolder } from './content.ts';
import { type TrueFile, trueFiles } from './true-files.ts';
import type { Variant } from './variants.ts';

/** An image, and what another reader than mabs saw on it. */
export interface MadeImage {
  readonly image: string;
  readonly files: ReadonlyMap<string, TrueFile>;
  /** SHA-256 of alternate data streams, as `PATH:STREAM`. */
  readonly streams: ReadonlyMap<string, string>;
}

/** Something that this machine lacks for a variant. */
export class CannotMakeError extends Error {}

const ENVIRONMENT = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', MTOOLS_SKIP_CHECK: '1', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Runs a tool; its words are what is wrong when it fails. */
export function tool(command: string, ...words: string[]): string {
  return execFileSync(command, words, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}

/** Makes the image of a variant in a folder of its own, fills it, and has it read by what wrote it or by the kernel. */
export function makeImage(variant: Variant, folder: string, content: ContentOptions): MadeImage {
  const image = join(folder, 'volume.img');
  const options = { ...content, ...variant.content };
  writeFileSync(image, '');
  truncateSync(image, variant.mebibytes * 1024 * 1024);
  const [maker, ...words] = variant.make;
  attempt(() => tool(maker!, ...words, image));
  if (variant.mount === 'tools') return { image, files: fillByTools(image, folder, options), streams: new Map() };
  const mounted = join(folder, 'mounted');
  mkdirSync(mounted);
  attempt(() => mount(variant, image, mounted, false));
  let copy = image;
  let streams: ReadonlyMap<string, string> = new Map();
  try {
    fillFolder(mounted, options);
    if (variant.mount === 'ntfs-3g') streams = fillNtfs(mounted);
    if (variant.unclean) {
      tool('sync', '-f', mounted);
      copy = join(folder, 'unclean.img');
      copyFileSync(image, copy);
    }
  } finally {
    tool('umount', mounted);
  }
  return { image: copy, files: readBack(variant, copy, folder, mounted), streams };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new CannotMakeError(error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ') : String(error), { cause: error });
  }
}

function mount({ mount: kind }: Variant, image: string, folder: string, readOnly: boolean): void {
  if (kind === 'ntfs-3g') tool('ntfs-3g', '-o', `streams_interface=windows,compression,permissions${readOnly ? ',ro' : ''}`, image, folder);
  else if (kind === 'exfat-fuse') mountExfat(image, folder, readOnly);
  else tool('mount', '-o', readOnly ? 'loop,ro' : 'loop', image, folder);
}

/** It mounts block devices alone. */
function mountExfat(image: string, folder: string, readOnly: boolean): void {
  const device = tool('losetup', '-f', '--show', image).trim();
  try {
    tool('mount.exfat-fuse', ...(readOnly ? ['-o', 'ro'] : []), device, folder);
  } finally {
    // While it is mounted the device stays.
    tool('losetup', '-d', device);
  }
}

/** Unclean ones are read from a copy, in which the kernel replays the journal, so that mabs has to do so itself. */
function readBack(variant: Variant, image: string, folder: string, mounted: string): Map<string, TrueFile> {
  const read = variant.unclean ? join(folder, 'replayed.img') : image;
  if (variant.unclean) copyFileSync(image, read);
  mount(variant, read, mounted, !variant.unclean);
  try {
    return trueFiles(mounted);
  } finally {
    tool('umount', mounted);
    if (variant.unclean) rmSync(read);
  }
}

/** Compressed files and streams, which only NTFS has. */
function fillNtfs(mounted: string): Map<string, string> {
  const streams = new Map<string, string>();
  mkdirSync(join(mounted, 'compressed'));
  tool('setfattr', '-h', '-v', '0x00000800', '-n', 'system.ntfs_attrib_be', join(mounted, 'compressed'));
  for (let index = 0; index < 60; index += 1) {
    const line = `${index} some text that is worth compressing `;
    writeFileSync(join(mounted, 'compressed', `text ${index}`), line.repeat(1 + index * 137));
  }
  mkdirSync(join(mounted, 'streams'));
  for (let index = 0; index < 50; index += 1) {
    const path = `/streams/file ${index}`;
    writeFileSync(join(mounted, path), `content ${index}`);
    for (const [name, bytes] of [
      ['small', Buffer.from(`stream ${index}`)],
      ['Größe 試験', Buffer.alloc(index * 3000, `${index} `)],
    ] as const) {
      writeFileSync(join(mounted, `${path}:${name}`), bytes);
      streams.set(`${path}:${name}`, createHash('sha256').update(bytes).digest('hex'));
    }
  }
  return streams;
}

/** Written and read by mtools, where the kernel has no driver for FAT. */
function fillByTools(image: string, folder: string, options: ContentOptions): Map<string, TrueFile> {
  const [tree, back] = [join(folder, 'tree'), join(folder, 'back')];
  mkdirSync(tree);
  mkdirSync(back);
  fillFolder(tree, options);
  // mtools keeps no long name that needs surrogates.
  for (const name of readdirSync(join(tree, 'names'))) if (/[\u{10000}-\u{10ffff}]/u.test(name)) rmSync(join(tree, 'names', name));
  attempt(() =>
    tool(
      'mcopy',
      '-i',
      image,
      '-s',
      '-m',
      '-Q',
      ...['many', 'names', 'deep', 'large', 'fragmented', 'sizes', 'times'].map((name) => join(tree, name)),
      '::/',
    ),
  );
  // What is removed, and what then comes into the gaps.
  tool('mdel', '-i', image, '::/many/file number 00001*');
  tool('mcopy', '-i', image, '-s', '-m', '-Q', join(tree, 'left'), '::/');
  tool('mcopy', '-i', image, '-m', '-Q', join(tree, 'sizes', '1048577'), '::/in pieces');
  rmSync(tree, { recursive: true });
  tool('mcopy', '-i', image, '-s', '-m', '-n', '-Q', '::*', `${back}/`);
  return trueFiles(back);
}
