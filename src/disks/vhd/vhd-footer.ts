import type { ByteSource } from '../../lib/byte-source.ts';
import { ascii, bytes, safeNumber, struct, u8, u16be, u32be, u64be } from '../../lib/struct.ts';
import type { DiskSubformat } from '../disk-format.ts';
import { vhdChecksum } from './vhd-checksum.ts';
import { VhdFooterError } from './vhd-errors.ts';
import { geometryFor, geometrySize, isMaxGeometry } from './vhd-geometry.ts';
import { idFromBytes, idToBytes } from './vhd-id.ts';

export const FOOTER_SIZE = 512;
/** Virtual Server before 2005 wrote one byte less. */
const OLD_FOOTER_SIZE = 511;
/** 2040 GiB: what Windows and every other reader allow. */
export const MAX_VIRTUAL_SIZE = 2040 * 2 ** 30;

const COOKIE = 'conectix';
const VERSION = 0x0001_0000;
const SUBFORMATS: Readonly<Record<number, DiskSubformat>> = { 2: 'fixed', 3: 'dynamic', 4: 'differencing' };
const NO_OFFSET = 0xffff_ffff_ffff_ffffn;

/** VHD specification, Hard Disk Footer Format. */
const FOOTER = struct(FOOTER_SIZE, {
  cookie: ascii(0, 8),
  features: u32be(8),
  version: u32be(12),
  dataOffset: u64be(16),
  timestamp: u32be(24),
  creator: ascii(28, 4),
  creatorVersion: u32be(32),
  creatorHost: ascii(36, 4),
  originalSize: u64be(40),
  currentSize: u64be(48),
  cylinders: u16be(56),
  heads: u8(58),
  sectorsPerTrack: u8(59),
  type: u32be(60),
  checksum: u32be(64),
  uniqueId: bytes(68, 16),
  savedState: u8(84),
});

export interface VhdFooter {
  readonly subformat: DiskSubformat;
  readonly virtualSize: number;
  readonly uniqueId: string;
  /** Where the header of a dynamic or differencing image lies. */
  readonly headerOffset: number;
  /** Where the footer at the end begins; absent when only the copy at the start could be used. */
  readonly position?: number;
  /** As it stands in the file, always `FOOTER_SIZE` bytes. */
  readonly bytes: Uint8Array;
}

/** Whether a file has a footer at its end or a copy of one at its start, damaged or not. */
export async function isVhd(file: ByteSource): Promise<boolean> {
  const cookie = new Uint8Array(COOKIE.length);
  for (const position of [file.sizeBytes - FOOTER_SIZE, file.sizeBytes - OLD_FOOTER_SIZE, 0]) {
    if (position < 0 || cookie.length > file.sizeBytes - position) continue;
    await file.read(position, cookie);
    if (Buffer.from(cookie).toString('latin1') === COOKIE) return true;
  }
  return false;
}

/**
 * The footer in force: the one at the end when it is intact, of 512 or of 511 bytes; else the copy at the start, which dynamic and
 * differencing images have. None intact: MABS-VHD-FOOTER.
 */
export async function readFooter(path: string, file: ByteSource): Promise<VhdFooter> {
  for (const size of [FOOTER_SIZE, OLD_FOOTER_SIZE]) {
    const position = file.sizeBytes - size;
    const found = await intactFooter(file, position, size);
    if (found) return { ...parseFooter(path, found), position };
  }
  const copy = await intactFooter(file, 0, FOOTER_SIZE);
  const footer = copy && parseFooter(path, copy);
  if (!footer || footer.subformat === 'fixed') throw new VhdFooterError(path, 'it has no intact footer');
  return footer;
}

async function intactFooter(file: ByteSource, position: number, size: number): Promise<Uint8Array | undefined> {
  if (position < 0 || size > file.sizeBytes - position) return undefined;
  const footer = new Uint8Array(FOOTER_SIZE);
  await file.read(position, footer.subarray(0, size));
  const { cookie, checksum } = FOOTER.read(footer);
  return cookie === COOKIE && checksum === vhdChecksum(footer, FOOTER.offsetOf.checksum) ? footer : undefined;
}

function parseFooter(path: string, footer: Uint8Array): VhdFooter {
  const { version, type, dataOffset, uniqueId } = FOOTER.read(footer);
  if (version >>> 16 !== VERSION >>> 16) throw new VhdFooterError(path, `its version ${version.toString(16)} is not known`);
  const subformat = SUBFORMATS[type];
  if (!subformat) throw new VhdFooterError(path, `its type ${type} is not known`);
  const virtualSize = sizeOf(footer);
  if (virtualSize === undefined || virtualSize > MAX_VIRTUAL_SIZE) throw new VhdFooterError(path, 'it says to be larger than 2040 GiB');
  const headerOffset = subformat === 'fixed' ? 0 : safeNumber(dataOffset);
  if (headerOffset === undefined) throw new VhdFooterError(path, 'its header cannot lie where it says');
  return { subformat, virtualSize, headerOffset, uniqueId: idFromBytes(uniqueId), bytes: footer };
}

/**
 * What counts as the size depends on who wrote the image: Virtual PC, and QEMU until it took another name, go by the geometry, which
 * may be smaller than the size in the footer; Hyper-V, Azure, disk2vhd, VirtualBox and all others go by the size. The largest
 * geometry tells nothing. Whole sectors.
 */
function sizeOf(footer: Uint8Array): number | undefined {
  const { creator, currentSize, cylinders, heads, sectorsPerTrack } = FOOTER.read(footer);
  const geometry = { cylinders, heads, sectorsPerTrack };
  const byGeometry = geometrySize(geometry);
  if ((creator === 'vpc ' || creator === 'qemu') && byGeometry > 0 && !isMaxGeometry(geometry)) return byGeometry;
  return safeNumber(currentSize - (currentSize % 512n));
}

export interface NewFooter {
  readonly subformat: DiskSubformat;
  readonly sizeBytes: number;
  readonly uniqueId: string;
  readonly timestamp: number;
  /** Of the header; absent for a fixed image. */
  readonly headerOffset?: number;
}

/** A footer. The creator is Hyper-V's, so that every reader takes the size and not the geometry for the size. */
export function encodeFooter({ subformat, sizeBytes, uniqueId, timestamp, headerOffset }: NewFooter): Uint8Array {
  const footer = FOOTER.make({
    cookie: COOKIE,
    features: 2,
    version: VERSION,
    dataOffset: headerOffset === undefined ? NO_OFFSET : BigInt(headerOffset),
    timestamp,
    creator: 'win ',
    creatorVersion: 0x000a_0000,
    creatorHost: 'Wi2k',
    originalSize: BigInt(sizeBytes),
    currentSize: BigInt(sizeBytes),
    ...geometryFor(sizeBytes),
    type: Number(Object.keys(SUBFORMATS).find((type) => SUBFORMATS[Number(type)] === subformat)),
    uniqueId: idToBytes(uniqueId),
  });
  FOOTER.write(footer, { checksum: vhdChecksum(footer, FOOTER.offsetOf.checksum) });
  return footer;
}
