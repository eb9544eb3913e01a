import { stat } from 'node:fs/promises';
import type { DiskFormats } from '../../disks/disk-format.ts';
import type { FileSystems } from '../../filesystems/file-system.ts';
import { OpenedMachine } from './opened-machine.ts';

export interface ImagesToOpen {
  /** The image that is looked into. */
  readonly image: string;
  /** Its parent, instead of what its locators say. */
  readonly parent?: string;
  /** Further disks of the same machine: their physical volumes make its volume groups whole. */
  readonly with?: readonly string[];
}

/** Disk images as the disks of one machine: the volumes of the first, and the volume groups of them all. */
export function openImage(
  ports: { readonly diskFormats: DiskFormats; readonly fileSystems: FileSystems },
  { image, parent, with: others = [] }: ImagesToOpen,
): OpenedMachine {
  const open = (path: string) => () =>
    ports.diskFormats.open(path, { byHand: true, ...(path === image && parent !== undefined && { parent }) });
  return new OpenedMachine(image, ports, [{ open: open(image) }, ...others.map((path) => ({ lendsOnly: true, open: open(path) }))]);
}

/** An image, and the path behind its `:`. */
export interface ImagePath {
  readonly image: string;
  /** Begins with `/`; absent where the image alone was named. */
  readonly path?: string;
}

/**
 * Splits `IMAGE[:/PATH]`: the image ends at the last `:/` that leaves an existing file. Where none does, it is what stands before the
 * first `:/` (or `:\\`, which is refused as a path then) that looks like a volume's: whoever opens it tells that it is not there. Drive
 * letters of Windows need no care: `C` of `C:/x.vhdx:/p1` is no file, and one letter alone is not taken for an image.
 */
export async function splitImagePath(text: string, isFile = fileExists): Promise<ImagePath> {
  if (await isFile(text)) return { image: text };
  for (let colon = text.lastIndexOf(':/'); colon > 0; colon = text.lastIndexOf(':/', colon - 1)) {
    const image = text.slice(0, colon);
    if (await isFile(image)) return { image, path: text.slice(colon + 1) };
  }
  const meant = /(?<=..):[\\/](?:p\d+|lv)(?:[\\/]|$)/.exec(text);
  return meant ? { image: text.slice(0, meant.index), path: text.slice(meant.index + 1) } : { image: text };
}

async function fileExists(path: string): Promise<boolean> {
  // A path that holds a NUL, or is too long, is no file either.
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isDirectory();
}
