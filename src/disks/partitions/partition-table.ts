import type { PartitionTable } from '../disk-format.ts';
import { readGpt } from './gpt.ts';
import { readMbr } from './mbr.ts';
import type { TableSource } from './table-source.ts';

const NO_TABLE: PartitionTable = { scheme: 'none', partitions: [] };

/**
 * The partition table on a disk. As Linux does: a protective MBR (type EE) with an intact GPT behind it is a GPT, in the disk's own
 * sector size or, because a raw image does not tell its sector size, in the other one; else a valid MBR counts.
 * Reads a few sectors, never more than 2 MiB; what is broken is left out, so nothing here fails but reading itself.
 */
export async function readPartitionTable(disk: TableSource): Promise<PartitionTable> {
  if (disk.sizeBytes < 512) return NO_TABLE;
  const sector = new Uint8Array(512);
  await disk.read(0, sector);
  const own = disk.logicalSectorSize;
  const mbr = await readMbr(disk, sector, own);
  if (!mbr) return NO_TABLE;
  if (mbr.some((partition) => partition.type === 'ee')) {
    for (const sectorSize of [own, own === 4096 ? 512 : 4096]) {
      const partitions = await readGpt(disk, sectorSize);
      if (partitions) return { scheme: 'gpt', partitions };
    }
  }
  return { scheme: 'mbr', partitions: mbr };
}
