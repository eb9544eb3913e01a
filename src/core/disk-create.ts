import { resolve } from 'node:path';
import type { CreateImageOptions, DiskFormatName, DiskFormats, DiskImageInfo } from '../disks/disk-format.ts';
import { MabsError } from '../lib/errors.ts';
import { writeImageFile } from './image-output.ts';

export class ParentFormatError extends MabsError {
  readonly code = 'MABS-PARENT-FORMAT';
  readonly hint = 'A differencing image has the format of its parent: make the child in that format, or convert the parent first.';
  override readonly kind = 'usage';
  constructor(parent: string, parentFormat: DiskFormatName, format: DiskFormatName) {
    super(`${parent} is a ${parentFormat} image and cannot be the parent of a ${format} image`);
  }
}

export interface CreateDiskOptions {
  readonly image: string;
  readonly format: DiskFormatName;
  /** Size and everything else; for `differencing` the parent decides the size. */
  readonly create: Omit<CreateImageOptions, 'sizeBytes'> & { readonly sizeBytes?: number };
  readonly overwrite?: boolean;
}

/** Makes a new image, all zero or over a parent, and describes it. */
export async function createDisk(diskFormats: DiskFormats, options: CreateDiskOptions): Promise<{ path: string } & DiskImageInfo> {
  const { format, create, overwrite = false } = options;
  const path = resolve(options.image);
  const parent = create.parent === undefined ? undefined : resolve(create.parent);
  const inputs = parent === undefined ? [] : [parent];
  await writeImageFile({ path, overwrite, inputs }, async (partial) => {
    const sizeBytes = parent === undefined ? create.sizeBytes : await parentSize(diskFormats, parent, format);
    if (sizeBytes === undefined) throw new Error('an image without a parent needs a size');
    await using disk = await diskFormats.get(format).create(partial, { ...create, sizeBytes, ...(parent !== undefined && { parent }) });
    await disk.flush();
  });
  return { path, ...(await diskFormats.describe(path)) };
}

async function parentSize(diskFormats: DiskFormats, parent: string, format: DiskFormatName): Promise<number> {
  const info = await diskFormats.describe(parent);
  if (info.format !== format) throw new ParentFormatError(parent, info.format, format);
  return info.virtualSize;
}
