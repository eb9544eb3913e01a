import { readGptCopy } from './gpt.ts';
import { readMbr } from './mbr.ts';
import type { TableSource } from './table-source.ts';

/**
 * What is wrong with the GPT of a disk whose MBR says that it has one: a sentence each, none where there is no GPT. Looks at both
 * copies (UEFI specification, chapter 5.3.2): the system needs only one, but then nothing may happen to that.
 */
export async function partitionProblems(disk: TableSource): Promise<string[]> {
  if (disk.sizeBytes < 512) return [];
  const sector = new Uint8Array(512);
  await disk.read(0, sector);
  const own = disk.logicalSectorSize;
  const mbr = await readMbr(disk, sector, own);
  if (!mbr?.some(({ type }) => type === 'ee')) return [];
  for (const sectorSize of [own, own === 4096 ? 512 : 4096]) {
    const problems = await problemsIn(disk, sectorSize);
    if (problems) return problems;
  }
  return ['the disk says that it has a GPT, and neither of its copies is intact'];
}

/** `undefined`: no copy in sectors of this size. */
async function problemsIn(disk: TableSource, sectorSize: number): Promise<string[] | undefined> {
  const lastLba = Math.floor(disk.sizeBytes / sectorSize) - 1;
  const primary = await readGptCopy(disk, 1, sectorSize);
  const atEnd = await readGptCopy(disk, lastLba, sectorSize);
  if (!primary) return atEnd && ['the primary GPT is damaged: the backup at the end of the disk is used'];
  if (atEnd) return isEqual(primary.entries, atEnd.entries) ? [] : ['the two copies of the GPT name other partitions'];
  const elsewhere = primary.alternateLba === undefined || primary.alternateLba === lastLba ? undefined : primary.alternateLba;
  const backup = elsewhere === undefined ? undefined : await readGptCopy(disk, elsewhere, sectorSize);
  if (!backup) return ['the backup GPT at the end of the disk is missing or damaged'];
  return isEqual(primary.entries, backup.entries)
    ? ['the backup GPT does not lie at the end of the disk: the disk was made larger']
    : ['the two copies of the GPT name other partitions'];
}

const isEqual = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;
