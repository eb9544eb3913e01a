import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { NIL_GUID, parseGuid } from '../../lib/guid.ts';
import { createRandomAccess, type RandomAccessFile } from '../../lib/random-access-file.ts';
import type { CreateImageOptions } from '../disk-format.ts';
import { locatorPaths } from '../parent-paths.ts';
import { type BlockLayout, batIndexOf, layoutOf } from './block-layout.ts';
import { BlockState, encodeBlockEntry } from './block-table.ts';
import { encodeRegions, REGION_TABLE_POSITIONS, type VhdxRegions } from './region-table.ts';
import { openImage, openParents } from './vhdx-chain.ts';
import { encodeHeader, FILE_SIGNATURE, HEADER_POSITIONS } from './vhdx-header.ts';
import { readImage } from './vhdx-image.ts';
import { encodeMetadata, isBlockSize, type VhdxMetadata } from './vhdx-metadata.ts';
import { VhdxOptionError } from './vhdx-option-error.ts';
import { MAX_VIRTUAL_SIZE, MIB, roundUp } from './vhdx-units.ts';
import { WritableVhdx } from './writable-vhdx.ts';

/** What Hyper-V takes by itself. */
const DEFAULT_BLOCK_SIZE = 32 * MIB;
const DEFAULT_DIFFERENCING_BLOCK_SIZE = 2 * MIB;

const LOG = { offset: MIB, length: MIB };
const METADATA = { offset: 2 * MIB, length: MIB };
const BAT_OFFSET = 3 * MIB;
const ENTRIES_AT_ONCE = 65_536;

/** Makes a new VHDX; the file must not exist. A failure removes it again. */
export async function createVhdx(path: string, options: CreateImageOptions): Promise<WritableVhdx> {
  const metadata = await metadataFor(path, options);
  return createRandomAccess(path, async (file) => {
    await writeStructures(file, metadata, options.subformat === 'fixed');
    const image = await readImage(path, file);
    return new WritableVhdx(file, [image, ...(await openParents(image, options.parent))], { isNew: true });
  });
}

async function metadataFor(path: string, options: CreateImageOptions): Promise<VhdxMetadata> {
  const { subformat, sizeBytes, logicalSectorSize = 512, physicalSectorSize = 4096 } = options;
  const isDifferencing = subformat === 'differencing';
  const blockSize = options.blockSize ?? (isDifferencing ? DEFAULT_DIFFERENCING_BLOCK_SIZE : DEFAULT_BLOCK_SIZE);
  if (!isBlockSize(blockSize)) throw new VhdxOptionError(path, `blocks of ${blockSize} bytes are not possible`);
  const diskId = options.diskId === undefined ? randomUUID() : parseGuid(options.diskId);
  if (diskId === undefined) throw new VhdxOptionError(path, `the disk id ${JSON.stringify(options.diskId)} is no GUID`);
  const common = { blockSize, diskId, leaveBlocksAllocated: subformat === 'fixed' };
  if (isDifferencing !== (options.parent !== undefined)) {
    throw new VhdxOptionError(path, isDifferencing ? 'a differencing disk needs a parent' : 'only a differencing disk has a parent');
  }
  if (options.parent !== undefined) return { ...common, ...(await inherited(path, options.parent)) };
  const sized = Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes <= MAX_VIRTUAL_SIZE && sizeBytes % logicalSectorSize === 0;
  if (!sized) throw new VhdxOptionError(path, `a disk of ${sizeBytes} bytes with sectors of ${logicalSectorSize} is not possible`);
  return { ...common, virtualSize: sizeBytes, logicalSectorSize, physicalSectorSize };
}

/** Size and sectors of a child are its parent's; the linkage names the parent's content as it is now. */
async function inherited(path: string, parentPath: string): Promise<Omit<VhdxMetadata, 'blockSize' | 'diskId' | 'leaveBlocksAllocated'>> {
  await using parent = await openImage(parentPath);
  const { virtualSize, logicalSectorSize, physicalSectorSize } = parent.metadata;
  const paths = locatorPaths(resolve(path), resolve(parentPath), process.platform);
  return { virtualSize, logicalSectorSize, physicalSectorSize, parent: { linkages: [parent.header.dataWriteGuid], ...paths } };
}

async function writeStructures(file: RandomAccessFile, metadata: VhdxMetadata, isFixed: boolean): Promise<void> {
  const layout = layoutOf(metadata);
  const bat = { offset: BAT_OFFSET, length: roundUp(layout.entries * 8, MIB) };
  const payload = bat.offset + bat.length;
  await file.truncate(payload + (isFixed ? layout.blocks * layout.blockSize : 0));
  await file.write(0, Buffer.concat([Buffer.from(FILE_SIGNATURE), Buffer.from('mabs', 'utf16le')]));
  await file.write(METADATA.offset, encodeMetadata(metadata));
  if (isFixed) await writeFixedTable(file, layout, bat.offset, payload);
  await writeHeaders(file, { bat, metadata: METADATA });
}

async function writeFixedTable(file: RandomAccessFile, layout: BlockLayout, tableOffset: number, payload: number): Promise<void> {
  const { blocks, blocksPerChunk, blockSize, entries } = layout;
  for (let first = 0; first < entries; first += ENTRIES_AT_ONCE) {
    const table = Buffer.alloc(Math.min(ENTRIES_AT_ONCE, entries - first) * 8);
    const firstBlock = first - Math.floor(first / (blocksPerChunk + 1));
    for (let block = firstBlock; block < blocks; block++) {
      const at = (batIndexOf(block, blocksPerChunk) - first) * 8;
      if (at >= table.length) break;
      const entry = encodeBlockEntry({ state: BlockState.fullyPresent, position: payload + block * blockSize });
      table.writeBigUInt64LE(entry, at);
    }
    await file.write(tableOffset + first * 8, table);
  }
}

async function writeHeaders(file: RandomAccessFile, regions: VhdxRegions): Promise<void> {
  const table = encodeRegions(regions);
  for (const position of REGION_TABLE_POSITIONS) await file.write(position, table);
  const common = { fileWriteGuid: randomUUID(), dataWriteGuid: randomUUID(), logGuid: NIL_GUID, logVersion: 0, version: 1 };
  for (const [copy, position] of HEADER_POSITIONS.entries()) {
    const header = { ...common, logLength: LOG.length, logOffset: BigInt(LOG.offset), sequenceNumber: BigInt(copy + 1) };
    await file.write(position, encodeHeader(header));
  }
}
