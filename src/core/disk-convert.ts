import { resolve } from 'node:path';
import type { CreateImageOptions, DiskFormatName, DiskFormats } from '../disks/disk-format.ts';
import type { DiskSource } from '../disks/disk-source.ts';
import { type CopyOptions, copyDisk } from './disk-copy.ts';
import { writeImageFile } from './image-output.ts';

export interface ConvertOptions extends CopyOptions {
  readonly image: string;
  readonly output: string;
  readonly format: DiskFormatName;
  readonly subformat: 'fixed' | 'dynamic';
  readonly blockSize?: number;
  /** Parent of the image, instead of what its locators say. */
  readonly parent?: string;
  readonly overwrite?: boolean;
}

export interface ConvertReport {
  /** Absolute. */
  readonly path: string;
  readonly format: DiskFormatName;
  readonly virtualSize: number;
  /** Payload written: what is not zero. */
  readonly bytesWritten: number;
}

/** Writes the content of an image, parents included, to a new image. Raw keeps its size to the byte; others are whole sectors. */
export async function convertDisk(diskFormats: DiskFormats, options: ConvertOptions): Promise<ConvertReport> {
  const { image, parent, format, overwrite = false } = options;
  const path = resolve(options.output);
  await using source = await diskFormats.open(image, { byHand: true, ...(parent !== undefined && { parent }) });
  const inputs = source.files.map((file) => file.path);
  const create = createOptions(source, options);
  const bytesWritten = await writeImageFile({ path, overwrite, inputs: [image, ...inputs] }, async (partial) => {
    await using target = await diskFormats.get(format).create(partial, create);
    const written = await copyDisk(source, target, options);
    await target.flush();
    return written;
  });
  return { path, format, virtualSize: create.sizeBytes, bytesWritten };
}

/** Sectors stay what they are: a disk partitioned in 4096-byte sectors would be unreadable in others. A VHD has only small ones. */
function createOptions(source: DiskSource, { format, subformat, blockSize }: ConvertOptions): CreateImageOptions {
  if (format === 'raw') return { sizeBytes: source.sizeBytes, subformat: 'fixed' };
  const logicalSectorSize = source.logicalSectorSize === 4096 ? 4096 : 512;
  return {
    sizeBytes: Math.ceil(source.sizeBytes / logicalSectorSize) * logicalSectorSize,
    subformat,
    logicalSectorSize,
    physicalSectorSize: source.physicalSectorSize === 512 ? 512 : 4096,
    ...(blockSize !== undefined && { blockSize }),
  };
}
