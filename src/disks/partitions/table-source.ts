import type { DiskSource } from '../disk-source.ts';

/** What a partition table is looked for in: a disk, or anything like it. */
export type TableSource = Pick<DiskSource, 'sizeBytes' | 'logicalSectorSize' | 'read'>;
