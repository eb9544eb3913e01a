import type { DiskFormats } from '../disks/disk-format.ts';
import type { Capture, CapturedDisk } from '../hosts/host.ts';
import { roundOut, totalLength } from '../lib/byte-range.ts';
import { MabsError } from '../lib/errors.ts';
import type { Manifest, ManifestDisk } from '../model/manifest.ts';
import { diskName } from '../model/names.ts';
import type { DiskWriteRequest, DiskWriteResult, PoolWriter } from '../pool/pool.ts';
import type { JobOptions } from './job.ts';
import { findLeftOut } from './left-out/left-out.ts';
import type { LeftOut } from './left-out/left-out-draft.ts';
import type { LookOptions } from './left-out/left-out-volume.ts';
import { type DiskPlan, type DiskPlanFacts, planTracked, planWhole } from './plan-disk.ts';

/** A disk of a capture, written: its line of the manifest, and what that took. */
export interface WrittenDisk {
  readonly disk: ManifestDisk;
  readonly result: DiskWriteResult;
  /** Why the tracking cannot be trusted, where that turned out. */
  readonly trackingLied?: string;
}

export interface WriteDiskOrder extends JobOptions, LookOptions {
  readonly diskFormats: DiskFormats;
  readonly writer: PoolWriter;
  readonly blockSize: number;
  readonly label: string;
  readonly replica?: Manifest;
  readonly dropped?: string;
  /** Read everything, compare, and mend what the pool lost. */
  readonly whole: boolean;
  /** Read the new blocks back before they count; not for a replica that is read back whole afterwards. */
  readonly verifyNew: boolean;
}

/**
 * Writes each disk of a capture. What is left out is looked up on all of them first, since a volume may lie on several; then the handle
 * on an image is closed before the next one is opened.
 */
export async function writeDisks(capture: Capture, order: WriteDiskOrder): Promise<WrittenDisk[]> {
  const leftOut = await findLeftOut(capture.disks, order);
  const written: WrittenDisk[] = [];
  for (const [place, disk] of capture.disks.entries()) written.push(await writeOneDisk(disk, leftOut[place]!, order));
  return written;
}

async function writeOneDisk(captured: CapturedDisk, leftOut: LeftOut, order: WriteDiskOrder): Promise<WrittenDisk> {
  await using source = await order.diskFormats.get(captured.format).open(captured.frozenPath);
  const facts = { virtualSize: source.sizeBytes, ...order };
  const plan = order.whole ? planWhole(captured, facts) : await planTracked(captured, facts);
  const request = requestOf(plan, order, captured, leftOut);
  const attempt = await tryWrite(order, plan, { ...request, source });
  const { result, tracking } = attempt;
  const lied = attempt.lied ?? (order.whole ? await hiddenChanges(captured, plan, attempt, facts) : undefined);
  const reason = attempt.lied === undefined && lied !== undefined ? `${attempt.reason}; ${lied}` : attempt.reason;
  return {
    disk: {
      index: captured.index,
      key: captured.key,
      path: captured.path,
      controller: captured.controller,
      format: captured.format,
      virtualSize: source.sizeBytes,
      logicalSectorSize: source.logicalSectorSize,
      physicalSectorSize: source.physicalSectorSize,
      blockSize: order.blockSize,
      root: result.root,
      dataBytes: result.dataBytes,
      tracking,
      ...(reason === undefined ? {} : { trackingReason: reason }),
      ...(captured.trackingId === undefined ? {} : { trackingId: captured.trackingId }),
      leftOut: leftOut.ranges.map(({ offset, length }) => [offset, length]),
      ...(leftOut.notes.length === 0 ? {} : { leftOutNotes: [...leftOut.notes] }),
    },
    result,
    ...(lied === undefined ? {} : { trackingLied: lied }),
  };
}

type Attempt = Pick<DiskPlan, 'tracking' | 'reason'> & { readonly result: DiskWriteResult; readonly lied?: string };

/** Writes as planned; where that shows that the tracking or the replica cannot be trusted, reads everything instead. */
async function tryWrite({ writer }: WriteDiskOrder, plan: DiskPlan, request: DiskWriteRequest): Promise<Attempt> {
  const { ranges: _, ...whole } = request;
  try {
    const result = await writer.writeDisk(request);
    if (result.sampleMismatches === 0) return { result, tracking: plan.tracking, ...(plan.reason ? { reason: plan.reason } : {}) };
    const lied = `change tracking lied: ${result.sampleMismatches} sampled blocks differ that it called unchanged`;
    const again = await writer.writeDisk({ ...whole, sample: false });
    return { result: sumOf(result, again), tracking: 'scan', reason: lied, lied };
  } catch (error) {
    if (!isStoredDamage(error) || !plan.base || request.mend) throw error;
    const again = await writer.writeDisk({ ...whole, sample: false, mend: true });
    return {
      result: again,
      tracking: 'scan',
      reason: `the replica was damaged in the pool and was mended: ${(error as MabsError).message}`,
    };
  }
}

/** More blocks differ from the replica than the tracked ranges since then can hold: changes were hidden. */
async function hiddenChanges(
  disk: CapturedDisk,
  { base }: DiskPlan,
  { result }: Attempt,
  { dropped, blockSize, virtualSize }: DiskPlanFacts,
): Promise<string | undefined> {
  if (base?.trackingId === undefined || dropped !== undefined || base.virtualSize !== virtualSize) return undefined;
  const changed = await disk.changedSince(base.trackingId);
  if ('unknown' in changed) return undefined;
  const named = Math.ceil(totalLength(roundOut(changed.ranges, blockSize, virtualSize)) / blockSize);
  return result.blocksDiffering > named
    ? `change tracking lied: ${result.blocksDiffering} blocks differ, and it names ${named}`
    : undefined;
}

function requestOf(plan: DiskPlan, order: WriteDiskOrder, { index }: CapturedDisk, leftOut: LeftOut): Omit<DiskWriteRequest, 'source'> {
  const label = `${order.label} ${diskName(index)}`;
  const { onProgress, signal } = order;
  return {
    ...(plan.base ? { base: baseOf(plan.base) } : {}),
    ...(plan.ranges ? { ranges: plan.ranges } : {}),
    leftOut: leftOut.ranges,
    sample: plan.ranges !== undefined,
    verifyNew: order.verifyNew,
    mend: order.whole && plan.base !== undefined,
    ...(onProgress ? { onProgress: (progress) => onProgress({ label, ...progress }) } : {}),
    ...(signal ? { signal } : {}),
  };
}

function baseOf({ root, virtualSize, dataBytes, leftOut }: ManifestDisk): NonNullable<DiskWriteRequest['base']> {
  return { root, virtualSize, dataBytes, leftOut: leftOut.map(([offset, length]) => ({ offset, length })) };
}

/** Damage in the pool, as against damage in the image that is read. */
function isStoredDamage(error: unknown): boolean {
  return error instanceof MabsError && error.kind === 'damaged' && /^MABS-(BLOCK|MAP|PACK|BLOB|INDEX|POOL)-/.test(error.code);
}

/** What two runs over one disk took; what they found is what the second one found. */
function sumOf(first: DiskWriteResult, second: DiskWriteResult): DiskWriteResult {
  return {
    ...second,
    bytesScanned: first.bytesScanned + second.bytesScanned,
    bytesSampled: first.bytesSampled + second.bytesSampled,
    bytesTransferred: first.bytesTransferred + second.bytesTransferred,
    bytesStored: first.bytesStored + second.bytesStored,
  };
}
