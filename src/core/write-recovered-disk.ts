import type { CreateImageOptions, DiskFormatName, WritableDisk } from '../disks/disk-format.ts';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { TargetFullError } from '../lib/random-access-file.ts';
import type { ManifestDisk } from '../model/manifest.ts';
import { diskName } from '../model/names.ts';
import type { Pool } from '../pool/pool.ts';
import { firstCause, type JobOptions } from './job.ts';
import type { Ports } from './ports.ts';

/** What `recover` prints of a disk. */
export interface RecoveredDisk {
  readonly disk: string;
  /** Absolute. */
  readonly path: string;
  /** Uncompressed payload; zeros are free. */
  readonly bytesWritten: number;
  readonly verified: true;
}

export class RecoveryDiffersError extends MabsError {
  readonly code = 'MABS-RECOVERY-DIFFERS';
  readonly hint = 'The target’s volume does not keep what is written to it: check it, and recover to another one.';
  override readonly kind = 'damaged';
  constructor(path: string, bytes: number) {
    super(`${path} was read back and differs from the recovery point in ${bytes} bytes`);
  }
}

export interface WriteOrder extends JobOptions {
  readonly pool: Pool;
  readonly disk: ManifestDisk;
  readonly path: string;
  readonly format: DiskFormatName;
  readonly label: string;
  /** Read the new image through its format and compare it with the point. */
  readonly readBack: boolean;
}

/** Makes a new image and writes a point's disk into it; every block is verified before a byte of it is written. Durable on return. */
export async function writeRecoveredDisk(ports: Ports, order: WriteOrder): Promise<RecoveredDisk> {
  const { pool, disk, path } = order;
  const format = ports.diskFormats.get(order.format);
  const name = diskName(disk.index);
  try {
    const { bytesWritten } = await fill(await format.create(path, imageOptions(disk, order.format)), (target) =>
      pool.restoreDisk(disk, target, progressOf(order, `${order.label} ${name}`)),
    );
    if (order.readBack) await compareWithPoint(ports, order, `${order.label} ${name} reading back`);
    return { disk: name, path, bytesWritten, verified: true };
  } catch (error) {
    const code = systemErrorCode(firstCause(error));
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new TargetFullError(path, { cause: error });
    throw error;
  }
}

async function fill<T>(target: WritableDisk, write: (target: WritableDisk) => Promise<T>): Promise<T> {
  await using disk = target;
  const result = await write(disk);
  await disk.flush();
  return result;
}

async function compareWithPoint(ports: Ports, order: WriteOrder, label: string): Promise<void> {
  await using written = await ports.diskFormats.get(order.format).open(order.path);
  // A new image is zero where the point left something out: no byte of it goes uncompared.
  const { differing } = await order.pool.compareDisk({ ...order.disk, leftOut: [] }, written, progressOf(order, label));
  if (differing.length > 0) {
    throw new RecoveryDiffersError(
      order.path,
      differing.reduce((sum, { length }) => sum + length, 0),
    );
  }
}

function imageOptions(disk: ManifestDisk, format: DiskFormatName): CreateImageOptions {
  const sectors = { logicalSectorSize: sectorSize(disk.logicalSectorSize), physicalSectorSize: sectorSize(disk.physicalSectorSize) };
  return { sizeBytes: disk.virtualSize, subformat: format === 'raw' ? 'fixed' : 'dynamic', ...(format === 'vhdx' ? sectors : {}) };
}

function sectorSize(bytes: number): 512 | 4096 {
  return bytes === 4096 ? 4096 : 512;
}

function progressOf({ onProgress, signal }: JobOptions, label: string) {
  return {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (progress: { doneBytes: number; totalBytes: number }) => onProgress({ label, ...progress }) } : {}),
  };
}
