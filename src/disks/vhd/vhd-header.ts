import type { ByteSource } from '../../lib/byte-source.ts';
import { ascii, bytes, safeNumber, struct, u32be, u64be } from '../../lib/struct.ts';
import { vhdChecksum } from './vhd-checksum.ts';
import { VhdHeaderError } from './vhd-errors.ts';
import type { VhdFooter } from './vhd-footer.ts';
import { idFromBytes, idToBytes } from './vhd-id.ts';

export const HEADER_SIZE = 1024;
const COOKIE = 'cxsparse';
const VERSION = 0x0001_0000;
const LOCATORS = 8;
/** Tables beyond this (16 million blocks) are hostile: 2040 GiB in blocks of 512 KiB take 16 MiB. */
const MAX_TABLE_BYTES = 64 * 2 ** 20;
const MAX_BLOCK_SIZE = 2 ** 30;

/** VHD specification, Dynamic Disk Header Format. */
const HEADER = struct(HEADER_SIZE, {
  cookie: ascii(0, 8),
  dataOffset: u64be(8),
  tableOffset: u64be(16),
  version: u32be(24),
  entries: u32be(28),
  blockSize: u32be(32),
  checksum: u32be(36),
  parentId: bytes(40, 16),
  parentTimestamp: u32be(56),
  parentName: bytes(64, 512),
  locators: bytes(576, LOCATORS * 24),
});

/** One entry for a parent's path; the text itself lies elsewhere in the file. */
const LOCATOR = struct(24, { code: ascii(0, 4), space: u32be(4), length: u32be(8), position: u64be(16) });

export interface LocatorEntry {
  readonly code: string;
  readonly length: number;
  readonly position: number;
}

export interface VhdHeader {
  readonly position: number;
  readonly tableOffset: number;
  readonly blockSize: number;
  /** Blocks that the virtual size needs; the table has at least as many entries. */
  readonly blocks: number;
  readonly parentId: string;
  /** The parent's file name, or its path. Untrusted. */
  readonly parentName: string;
  readonly locators: readonly LocatorEntry[];
}

/** Reads and judges the header of a dynamic or differencing image. */
export async function readHeader(path: string, file: ByteSource, footer: VhdFooter): Promise<VhdHeader> {
  if (HEADER_SIZE > file.sizeBytes - footer.headerOffset) throw new VhdHeaderError(path, 'its header lies past the end of the file');
  const block = new Uint8Array(HEADER_SIZE);
  await file.read(footer.headerOffset, block);
  const header = HEADER.read(block);
  if (header.cookie !== COOKIE) throw new VhdHeaderError(path, 'its header has no signature');
  if (header.checksum !== vhdChecksum(block, HEADER.offsetOf.checksum)) throw new VhdHeaderError(path, 'its header has a wrong checksum');
  if (header.version >>> 16 !== VERSION >>> 16) throw new VhdHeaderError(path, `its header version ${header.version} is not known`);
  const { blockSize } = header;
  const possible = blockSize >= 512 && blockSize <= MAX_BLOCK_SIZE && (blockSize & (blockSize - 1)) === 0;
  if (!possible) throw new VhdHeaderError(path, `blocks of ${blockSize} bytes are not possible`);
  const blocks = Math.ceil(footer.virtualSize / blockSize);
  if (header.entries < blocks) throw new VhdHeaderError(path, `its table of ${header.entries} blocks is too small for its size`);
  const tableOffset = safeNumber(header.tableOffset);
  const isInside = tableOffset !== undefined && blocks * 4 <= file.sizeBytes - tableOffset;
  if (!isInside || blocks * 4 > MAX_TABLE_BYTES) throw new VhdHeaderError(path, 'its block table cannot lie where it says');
  return {
    position: footer.headerOffset,
    tableOffset,
    blockSize,
    blocks,
    parentId: idFromBytes(header.parentId),
    parentName: Buffer.from(header.parentName).swap16().toString('utf16le').split('\0', 1)[0]!,
    locators: locatorsOf(header.locators),
  };
}

function locatorsOf(table: Uint8Array): LocatorEntry[] {
  const found: LocatorEntry[] = [];
  for (let slot = 0; slot < LOCATORS; slot++) {
    const { code, length, position } = LOCATOR.read(table, slot * LOCATOR.size);
    const at = safeNumber(position);
    if (code !== '\0\0\0\0' && at !== undefined) found.push({ code, length, position: at });
  }
  return found;
}

export interface NewHeader {
  readonly tableOffset: number;
  readonly blocks: number;
  readonly blockSize: number;
  readonly parent?: {
    readonly id: string;
    readonly timestamp: number;
    readonly name: string;
    readonly locators: readonly (LocatorEntry & { readonly space: number })[];
  };
}

export function encodeHeader({ tableOffset, blocks, blockSize, parent }: NewHeader): Uint8Array {
  const header = HEADER.make({
    cookie: COOKIE,
    dataOffset: 0xffff_ffff_ffff_ffffn,
    tableOffset: BigInt(tableOffset),
    version: VERSION,
    entries: blocks,
    blockSize,
    ...(parent && {
      parentId: idToBytes(parent.id),
      parentTimestamp: parent.timestamp,
      parentName: Buffer.from(parent.name.slice(0, 255), 'utf16le').swap16(),
    }),
  });
  for (const [slot, { code, space, length, position }] of (parent?.locators ?? []).entries()) {
    LOCATOR.write(header, { code, space, length, position: BigInt(position) }, HEADER.offsetOf.locators + slot * LOCATOR.size);
  }
  HEADER.write(header, { checksum: vhdChecksum(header, HEADER.offsetOf.checksum) });
  return header;
}
