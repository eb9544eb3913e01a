import type { LogicalVolume, PhysicalVolume } from '../disk-format.ts';

/** The logical volumes of all groups whose physical volumes are among `members`. */
export async function readLogicalVolumes(_members: readonly PhysicalVolume[]): Promise<LogicalVolume[]> {
  return [];
}
