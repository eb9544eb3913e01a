import type { Capture } from '../hosts/host.ts';
import type { Consistency, Tracking } from '../model/consistency.ts';
import type { Manifest } from '../model/manifest.ts';
import { diskName } from '../model/names.ts';
import type { Failure } from './job.ts';
import type { WrittenDisk } from './write-disk.ts';

/** Bytes and blocks that a job moved; see the contract of `sync --json`. */
export interface TransferCounts {
  /** Read from the source because it may have changed. */
  readonly bytesScanned: number;
  /** Read only to cross-check the tracking. */
  readonly bytesSampled: number;
  /** In blocks that differ from the replica. */
  readonly bytesChanged: number;
  /** Crossed to the pool's side. */
  readonly bytesTransferred: number;
  /** Grew on the pool, after deduplication and compression. */
  readonly bytesStored: number;
  readonly blocksDiffering: number;
}

export interface DiskReport extends TransferCounts {
  readonly disk: string;
  readonly tracking: Tracking;
  readonly trackingReason?: string;
  readonly blocksMended: number;
}

/** What a job did for one VM, as `sync`, `checkpoint` and `consistency-check` print it. */
export interface MemberReport extends TransferCounts {
  readonly vm: string;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly consistency?: Consistency;
  readonly consistencyReason?: string;
  /** The weakest of its disks'. */
  readonly tracking?: Tracking;
  readonly trackingReason?: string;
  readonly blocksMended?: number;
  readonly verified?: boolean;
  readonly durationMs: number;
  readonly replicaId?: string;
  readonly pointId?: string;
  readonly disks?: readonly DiskReport[];
  readonly error?: Failure;
}

export const NO_TRANSFER: TransferCounts = {
  bytesScanned: 0,
  bytesSampled: 0,
  bytesChanged: 0,
  bytesTransferred: 0,
  bytesStored: 0,
  blocksDiffering: 0,
};

/** What a manifest and the writing of its disks say of a VM, without the time it took. */
export function describeTransfer(
  manifest: Manifest,
  written: readonly WrittenDisk[],
  capture: Pick<Capture, 'consistencyReason'>,
): Omit<MemberReport, 'vm' | 'status' | 'durationMs'> {
  const disks = written.map(diskReport);
  return {
    consistency: manifest.consistency,
    ...(capture.consistencyReason === undefined ? {} : { consistencyReason: capture.consistencyReason }),
    tracking: manifest.tracking,
    ...(manifest.trackingReason === undefined ? {} : { trackingReason: manifest.trackingReason }),
    ...sumOf(disks),
    blocksMended: disks.reduce((sum, disk) => sum + disk.blocksMended, 0),
    disks,
  };
}

function diskReport({ disk, result }: WrittenDisk): DiskReport {
  const { bytesScanned, bytesSampled, bytesChanged, bytesTransferred, bytesStored, blocksDiffering, blocksMended } = result;
  return {
    disk: diskName(disk.index),
    tracking: disk.tracking,
    ...(disk.trackingReason === undefined ? {} : { trackingReason: disk.trackingReason }),
    bytesScanned,
    bytesSampled,
    bytesChanged,
    bytesTransferred,
    bytesStored,
    blocksDiffering,
    blocksMended,
  };
}

function sumOf(disks: readonly DiskReport[]): TransferCounts {
  const sum = { ...NO_TRANSFER };
  const counts = Object.keys(NO_TRANSFER) as (keyof TransferCounts)[];
  for (const disk of disks) for (const count of counts) (sum as Record<keyof TransferCounts, number>)[count] += disk[count];
  return sum;
}
