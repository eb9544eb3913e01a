import { ascii, safeNumber, struct, u32le, u64le } from '../../lib/struct.ts';
import type { PhysicalVolume } from '../disk-format.ts';
import { lvmChecksum } from './lvm-checksum.ts';

/** `struct mda_header` with the first of its `raw_locns` (the committed one), lib/format_text/layout.h. The checksum covers the rest. */
const HEADER = struct(512, {
  checksum: u32le(0),
  magic: ascii(4, 16),
  version: u32le(20),
  start: u64le(24),
  size: u64le(32),
  textAt: u64le(40),
  textSize: u64le(48),
  textChecksum: u32le(56),
  flags: u32le(60),
});
const MAGIC = ' LVM2 x[5A%r0N*>';
/** `RAW_LOCN_IGNORED`: the area holds no copy that counts. */
const IGNORED = 1;
/** Far beyond what thousands of logical volumes take; more is hostile. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/**
 * The committed description of the group in a metadata area: text in a ring that begins behind the area's header. The second slot, a
 * description that was written but not committed, does not count. `undefined` where there is none that is intact.
 */
export async function readMetadataText(
  volume: PhysicalVolume,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<string | undefined> {
  if (size <= HEADER.size || offset > volume.sizeBytes || size > volume.sizeBytes - offset) return undefined;
  const sector = new Uint8Array(HEADER.size);
  await volume.read(offset, sector);
  const header = HEADER.read(sector);
  if (header.magic !== MAGIC || header.version !== 1 || header.start !== BigInt(offset) || header.size !== BigInt(size)) return undefined;
  if (lvmChecksum(sector.subarray(HEADER.offsetOf.magic)) !== header.checksum) return undefined;
  const at = safeNumber(header.textAt);
  const length = safeNumber(header.textSize);
  if (!at || !length || header.flags & IGNORED || at < HEADER.size || at >= size) return undefined;
  if (length > MAX_TEXT_BYTES || length > size - HEADER.size) return undefined;
  const text = new Uint8Array(length);
  const beforeWrap = Math.min(length, size - at);
  await volume.read(offset + at, text.subarray(0, beforeWrap));
  if (beforeWrap < length) await volume.read(offset + HEADER.size, text.subarray(beforeWrap));
  if (lvmChecksum(text) !== header.textChecksum) return undefined;
  const end = text.indexOf(0);
  return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
}
