import { ascii, safeNumber, struct, u32le, u64le } from '../../lib/struct.ts';
import type { PhysicalVolume } from '../disk-format.ts';
import { lvmChecksum } from './lvm-checksum.ts';

const SECTOR = 512;
/** The label lies in one of the first sectors (`LABEL_SCAN_SECTORS`, lib/label/label.h). */
const LABEL_SECTORS = 4;

/** `struct label_header`, lib/label/label.h. The checksum covers the sector from `contentsAt` on. */
const LABEL = struct(32, { id: ascii(0, 8), sector: u64le(8), checksum: u32le(16), contentsAt: u32le(20), type: ascii(24, 8) });
/** `struct pv_header`, lib/format_text/layout.h; two lists of areas follow, each ended by an offset of zero. */
const PV_HEADER = struct(40, { id: ascii(0, 32), deviceSize: u64le(32) });
const AREA = struct(16, { offset: u64le(0), size: u64le(8) });

/** What a physical volume says of itself. */
export interface PhysicalVolumeLabel {
  /** Its identity: 32 characters. */
  readonly id: string;
  /** Where copies of the group's description lie: none, one or two. Bytes; not yet held against the volume's size. */
  readonly metadataAreas: readonly { readonly offset: number; readonly size: number }[];
}

/** The label in the first four sectors of a volume; `undefined` where there is none that is intact. */
export async function readPhysicalVolumeLabel(volume: PhysicalVolume): Promise<PhysicalVolumeLabel | undefined> {
  const head = new Uint8Array(Math.min(LABEL_SECTORS * SECTOR, Math.floor(volume.sizeBytes / SECTOR) * SECTOR));
  await volume.read(0, head);
  for (let sector = 0; sector * SECTOR < head.length; sector++) {
    const label = parseLabel(head.subarray(sector * SECTOR, (sector + 1) * SECTOR), sector);
    if (label) return label;
  }
  return undefined;
}

function parseLabel(bytes: Uint8Array, sector: number): PhysicalVolumeLabel | undefined {
  const label = LABEL.read(bytes);
  if (label.id !== 'LABELONE' || label.type !== 'LVM2 001' || label.sector !== BigInt(sector)) return undefined;
  if (lvmChecksum(bytes.subarray(LABEL.offsetOf.contentsAt)) !== label.checksum) return undefined;
  if (label.contentsAt < LABEL.size || label.contentsAt > SECTOR - PV_HEADER.size) return undefined;
  const { id } = PV_HEADER.read(bytes, label.contentsAt);
  if (!isLvmId(id)) return undefined;
  const [, dataEnd] = areas(bytes, label.contentsAt + PV_HEADER.size);
  const [metadataAreas] = areas(bytes, dataEnd);
  return { id, metadataAreas };
}

/** A list of areas, and where what follows it begins. */
function areas(bytes: Uint8Array, from: number): [list: { offset: number; size: number }[], end: number] {
  const list = [];
  let at = from;
  for (; at + AREA.size <= bytes.length; at += AREA.size) {
    const { offset, size } = AREA.read(bytes, at);
    if (offset === 0n) return [list, at + AREA.size];
    const area = { offset: safeNumber(offset), size: safeNumber(size) };
    if (area.offset !== undefined && area.size !== undefined) list.push({ offset: area.offset, size: area.size });
  }
  return [list, at];
}

/** 32 of the characters that LVM makes its identities of (`id_create`, lib/uuid/uuid.c). */
export const isLvmId = (text: string) => /^[0-9A-Za-z!#]{32}$/.test(text);
