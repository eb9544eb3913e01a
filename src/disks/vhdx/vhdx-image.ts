import type { ByteRange } from '../../lib/byte-range.ts';
import type { ByteSource } from '../../lib/byte-source.ts';
import { ascii, struct } from '../../lib/struct.ts';
import { type BlockLayout, bitmapSliceOf, layoutOf } from './block-layout.ts';
import { BlockState, BlockTable, VhdxBlockError } from './block-table.ts';
import { replayLog } from './log-replay.ts';
import { PageCache } from './page-cache.ts';
import type { PatchedSource } from './patched-source.ts';
import { parseRegions, REGION_TABLE_POSITIONS, REGION_TABLE_SIZE, type VhdxRegions } from './region-table.ts';
import { sectorRuns } from './sector-bitmap.ts';
import { currentHeader, dirtyLogOf, FILE_SIGNATURE, HEADER, HEADER_POSITIONS, type VhdxHeader, VhdxHeaderError } from './vhdx-header.ts';
import { METADATA_TABLE_SIZE, parseMetadata, parseMetadataTable, type VhdxMetadata } from './vhdx-metadata.ts';
import { MIB } from './vhdx-units.ts';

/** A part of the virtual disk as one image alone knows it. `parent`: the image has nothing of its own there. */
export type OwnExtent = ByteRange &
  ({ readonly from: 'file'; readonly position: number } | { readonly from: 'zero' } | { readonly from: 'parent' });

/** One VHDX file without its parents: its structures, checked, and where it keeps the blocks of the virtual disk. */
export interface VhdxImage extends AsyncDisposable {
  readonly path: string;
  readonly header: VhdxHeader;
  /** Which of the two header copies is in force. */
  readonly headerCopy: number;
  readonly regions: VhdxRegions;
  readonly metadata: VhdxMetadata;
  readonly layout: BlockLayout;
  readonly pages: PageCache;
  readonly blocks: BlockTable;
  /** What the log holds and the file does not; absent when the log is empty. */
  readonly patches?: PatchedSource;
  /** The file's bytes, as if the log had been replayed. */
  readonly source: ByteSource;
}

/** The first bytes of a VHDX tell what it is. */
export async function isVhdx(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < FILE_SIGNATURE.length) return false;
  return struct(8, { signature: ascii(0, 8) }).read(await readBytes(source, 0, 8)).signature === FILE_SIGNATURE;
}

/** Only the header in force: enough to tell a file's identity. */
export async function readHeader(path: string, source: ByteSource): Promise<{ readonly header: VhdxHeader; readonly copy: number }> {
  if (!(await isVhdx(source))) throw new VhdxHeaderError(path, 'it does not begin as a VHDX does');
  const copies = await Promise.all(HEADER_POSITIONS.map((position) => readBytes(source, position, HEADER.size)));
  return currentHeader(path, copies);
}

/** Reads and checks the structures of a VHDX. The image owns `source` once this resolves. A dirty log is replayed in memory. */
export async function readImage(path: string, file: ByteSource): Promise<VhdxImage> {
  const { header, copy } = await readHeader(path, file);
  const log = dirtyLogOf(path, header);
  const patches = log ? await replayLog(path, file, log, header.logGuid) : undefined;
  const source = patches ?? file;
  const tables = await Promise.all(REGION_TABLE_POSITIONS.map((position) => readBytes(source, position, REGION_TABLE_SIZE)));
  const regions = parseRegions(path, tables, source.sizeBytes, log);
  const items = parseMetadataTable(path, await readBytes(source, regions.metadata.offset, METADATA_TABLE_SIZE), regions.metadata.length);
  const metadata = await parseMetadata(path, items, ({ offset, length }) => readBytes(source, regions.metadata.offset + offset, length));
  const layout = layoutOf(metadata);
  const pages = new PageCache((position, into) => source.read(position, into));
  const occupied = [{ offset: 0, length: MIB }, regions.bat, regions.metadata, ...(log ? [log] : [])];
  const blocks = new BlockTable({ path, pages, region: regions.bat, layout, occupied, fileSize: () => source.sizeBytes });
  return {
    ...{ path, header, headerCopy: copy, regions, metadata, layout, pages, blocks, source },
    ...(patches ? { patches } : {}),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** Where this image keeps the bytes of `range`: ascending, adjoining, covering it exactly, joined where they continue each other. */
export async function ownExtents(image: VhdxImage, range: ByteRange): Promise<OwnExtent[]> {
  const { blockSize } = image.layout;
  const extents: OwnExtent[] = [];
  const end = range.offset + range.length;
  for (let at = range.offset; at < end; ) {
    const block = Math.floor(at / blockSize);
    const part = { offset: at, length: Math.min(end, (block + 1) * blockSize) - at };
    const looked = image.blocks.payload(block);
    // Not awaited when its page is in memory: a disk may have millions of blocks.
    const { state, position } = looked instanceof Promise ? await looked : looked;
    if (state === BlockState.fullyPresent) pushExtent(extents, { ...part, from: 'file', position: position + (at % blockSize) });
    else if (state === BlockState.partiallyPresent) await pushPartial(extents, image, block, part, position);
    else pushExtent(extents, { ...part, from: state === BlockState.notPresent && image.metadata.parent ? 'parent' : 'zero' });
    at += part.length;
  }
  return extents;
}

/** Adds an extent, joined to the last one when it continues it. */
function pushExtent(extents: OwnExtent[], extent: OwnExtent): void {
  const last = extents.at(-1);
  const continues =
    last?.from === extent.from && (last.from !== 'file' || extent.from !== 'file' || last.position + last.length === extent.position);
  if (last && continues) extents[extents.length - 1] = { ...last, length: last.length + extent.length };
  else extents.push(extent);
}

async function pushPartial(extents: OwnExtent[], image: VhdxImage, block: number, part: ByteRange, position: number): Promise<void> {
  const { blockSize, sectorSize } = image.layout;
  const bitmap = await bitmapOf(image, block);
  const blockStart = block * blockSize;
  const end = part.offset + part.length;
  const sectors = [Math.floor((part.offset - blockStart) / sectorSize), Math.ceil((end - blockStart) / sectorSize)] as const;
  for (const run of sectorRuns(bitmap, ...sectors)) {
    const offset = Math.max(part.offset, blockStart + run.start * sectorSize);
    const length = Math.min(end, blockStart + (run.start + run.count) * sectorSize) - offset;
    if (run.present) pushExtent(extents, { offset, length, from: 'file', position: position + offset - blockStart });
    else pushExtent(extents, { offset, length, from: 'parent' });
  }
}

/** The bits of a partially present block: a view into the cached page. */
async function bitmapOf(image: VhdxImage, block: number): Promise<Uint8Array> {
  if (!image.metadata.parent) throw new VhdxBlockError(image.path, `block ${block} is partially present, but there is no parent`);
  const position = await image.blocks.bitmapPosition(block);
  if (position === undefined) throw new VhdxBlockError(image.path, `block ${block} is partially present, but has no sector bitmap`);
  const slice = bitmapSliceOf(block, image.layout);
  const page = await image.pages.load(position + slice.offset);
  const start = position + slice.offset - page.position;
  return page.bytes.subarray(start, start + slice.length);
}

async function readBytes(source: ByteSource, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await source.read(position, bytes);
  return bytes;
}
