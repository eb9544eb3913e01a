import { extname } from 'node:path';
import type { DiskFormatName } from '../../disks/disk-format.ts';
import { parseSize } from '../../lib/sizes.ts';
import { UsageError } from '../usage-error.ts';

const BY_EXTENSION: Readonly<Record<string, DiskFormatName>> = {
  '.vhdx': 'vhdx',
  '.avhdx': 'vhdx',
  '.vhd': 'vhd',
  '.avhd': 'vhd',
  '.raw': 'raw',
  '.img': 'raw',
  '.dd': 'raw',
  '.bin': 'raw',
};

/** The format that was asked for, else the one that the file's name tells. Neither: MABS-USAGE. */
export function chooseFormat(path: string, format: string | undefined): DiskFormatName {
  const chosen = format ?? BY_EXTENSION[extname(path).toLowerCase()];
  if (chosen === 'vhdx' || chosen === 'vhd' || chosen === 'raw') return chosen;
  const what = format === undefined ? `the name ${path} tells no image format` : `${format} is no image format`;
  throw new UsageError(what, 'Add --format vhdx, --format vhd or --format raw.');
}

/** One of the words that an option takes. */
export function oneOf<T extends string>(option: string, value: string, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${option} cannot be ${value}`, `It is one of ${words.join(', ')}.`);
  return found;
}

export const optionalSize = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseSize(text));
