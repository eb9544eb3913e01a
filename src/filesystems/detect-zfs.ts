import { readInside, withLabel } from './probe.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

const LABEL_SIZE = 256 * 1024;
const UBERBLOCKS_AT = 128 * 1024;
const UBERBLOCK_MAGICS = [0x00bab10cn, 0x0cb1ba0000000000n];

/** A member of a ZFS pool: the first of its four labels holds uberblocks from 128 KiB on. The label is the pool's name. */
export async function detectZfs(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const label of [0, LABEL_SIZE]) {
    const ring = await readInside(volume, label + UBERBLOCKS_AT, LABEL_SIZE - UBERBLOCKS_AT);
    if (!ring) return undefined;
    const view = new DataView(ring.buffer);
    for (let at = 0; at < ring.length; at += 1024) {
      if (UBERBLOCK_MAGICS.includes(view.getBigUint64(at, true))) return withLabel('zfs_member', await poolName(volume, label));
    }
  }
  return undefined;
}

/** `name` among the name-value pairs at 16 KiB, in XDR: encoded and decoded size, then name (padded to four), type, count, value. */
async function poolName(volume: Volume, label: number): Promise<string | undefined> {
  const list = await readInside(volume, label + 16 * 1024, 112 * 1024);
  if (!list) return undefined;
  const view = new DataView(list.buffer);
  for (let at = 12; at + 12 <= list.length; ) {
    const size = view.getUint32(at);
    const nameLength = view.getUint32(at + 8);
    if (size < 20 || size > list.length - at || nameLength > size - 20) return undefined;
    const name = Buffer.from(list.subarray(at + 12, at + 12 + nameLength)).toString('latin1');
    const value = at + 12 + Math.ceil(nameLength / 4) * 4 + 8;
    if (name === 'name' && value + 4 <= at + size) {
      const length = Math.min(view.getUint32(value), at + size - value - 4);
      return new TextDecoder().decode(list.subarray(value + 4, value + 4 + length)) || undefined;
    }
    at += size;
  }
  return undefined;
}
