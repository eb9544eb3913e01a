import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { parseGuid } from '../../lib/guid.ts';
import { createRandomAccess, type RandomAccessFile } from '../../lib/random-access-file.ts';
import type { CreateImageOptions } from '../disk-format.ts';
import { newLocators } from './parent-locator.ts';
import { openImage, openParents } from './parent-lookup.ts';
import { VhdOptionError } from './vhd-errors.ts';
import { encodeFooter, FOOTER_SIZE, MAX_VIRTUAL_SIZE } from './vhd-footer.ts';
import { encodeHeader, HEADER_SIZE, type NewHeader } from './vhd-header.ts';
import { vhdTime } from './vhd-id.ts';
import { readImage } from './vhd-image.ts';
import { WritableVhd } from './writable-vhd.ts';

const BLOCK_SIZES = [512 * 1024, 2 * 1024 * 1024];
const DEFAULT_BLOCK_SIZE = 2 * 1024 * 1024;

/** Copy of the footer, header, block table; then the locators' texts of a child. */
const HEADER_OFFSET = FOOTER_SIZE;
const TABLE_OFFSET = HEADER_OFFSET + HEADER_SIZE;

/** Makes a new VHD; the file must not exist. A failure removes it again. */
export async function createVhd(path: string, options: CreateImageOptions): Promise<WritableVhd> {
  const { subformat, blockSize = DEFAULT_BLOCK_SIZE, logicalSectorSize = 512 } = options;
  if ((subformat === 'differencing') !== (options.parent !== undefined)) {
    throw new VhdOptionError(path, 'a differencing disk and a parent go together');
  }
  if (logicalSectorSize !== 512) throw new VhdOptionError(path, `sectors of ${logicalSectorSize} bytes are not possible`);
  if (!BLOCK_SIZES.includes(blockSize)) throw new VhdOptionError(path, `blocks of ${blockSize} bytes are not possible`);
  if (subformat === 'fixed' && options.blockSize !== undefined) throw new VhdOptionError(path, 'a fixed disk has no blocks');
  const uniqueId = options.diskId === undefined ? randomUUID() : parseGuid(options.diskId);
  if (uniqueId === undefined) throw new VhdOptionError(path, `the disk id ${JSON.stringify(options.diskId)} is no GUID`);
  const parent = options.parent === undefined ? undefined : await describeParent(path, options.parent);
  const sizeBytes = parent?.sizeBytes ?? options.sizeBytes;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes > MAX_VIRTUAL_SIZE || sizeBytes % 512 !== 0) {
    throw new VhdOptionError(path, `a disk of ${sizeBytes} bytes is not possible`);
  }
  const headerOffset = subformat === 'fixed' ? {} : { headerOffset: HEADER_OFFSET };
  const footer = encodeFooter({ subformat, sizeBytes, uniqueId, timestamp: vhdTime(Date.now()), ...headerOffset });
  return createRandomAccess(path, async (file) => {
    if (subformat === 'fixed') await file.write(sizeBytes, footer);
    else await writeStructures(file, footer, { blockSize, sizeBytes, ...(parent && { parent }) });
    const image = await readImage(file);
    return new WritableVhd([image, ...(await openParents(image, options.parent))]);
  });
}

interface ParentDescription {
  readonly sizeBytes: number;
  readonly id: string;
  readonly timestamp: number;
  readonly name: string;
  readonly texts: ReturnType<typeof newLocators>['texts'];
}

async function describeParent(path: string, parentPath: string): Promise<ParentDescription> {
  await using parent = await openImage(parentPath);
  const { mtimeMs } = await stat(parentPath);
  const { virtualSize, uniqueId } = parent.footer;
  return { sizeBytes: virtualSize, id: uniqueId, timestamp: vhdTime(mtimeMs), ...newLocators(path, parentPath) };
}

interface SparseOptions {
  readonly sizeBytes: number;
  readonly blockSize: number;
  readonly parent?: ParentDescription;
}

async function writeStructures(file: RandomAccessFile, footer: Uint8Array, { sizeBytes, blockSize, parent }: SparseOptions): Promise<void> {
  const blocks = Math.ceil(sizeBytes / blockSize);
  const table = Buffer.alloc(toSectors(blocks * 4), 0xff);
  await file.write(TABLE_OFFSET, table);
  let end = TABLE_OFFSET + table.length;
  const locators: NonNullable<NewHeader['parent']>['locators'][number][] = [];
  for (const { code, bytes } of parent?.texts ?? []) {
    const space = toSectors(bytes.length);
    locators.push({ code, space, length: bytes.length, position: end });
    await file.write(end, Buffer.concat([bytes, Buffer.alloc(space - bytes.length)]));
    end += space;
  }
  const header = { tableOffset: TABLE_OFFSET, blocks, blockSize, ...(parent && { parent: { ...parent, locators } }) };
  await file.write(HEADER_OFFSET, encodeHeader(header));
  await file.write(end, footer);
  await file.write(0, footer);
}

const toSectors = (length: number) => Math.ceil(length / 512) * 512;
