import type { ByteRange } from '../../lib/byte-range.ts';
import type { ByteSource } from '../../lib/byte-source.ts';
import { MabsError } from '../../lib/errors.ts';
import { declaredEntryLength, LOG_SECTOR, type LogEntry, parseLogEntry } from './log-entry.ts';
import { type PatchedSource, patchedSource } from './patched-source.ts';
import { REGION_TABLE_POSITIONS } from './region-table.ts';
import { MIB } from './vhdx-units.ts';

/** Logs are 1 MiB in practice; nobody writes larger ones than this. */
const MAX_LOG = 64 * MIB;

export class VhdxLogError extends MabsError {
  readonly code = 'MABS-VHDX-LOG';
  readonly hint =
    'The log of the image is damaged, so it cannot be brought to a consistent state: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

/** The file as if its log had been replayed (MS-VHDX 2.3.3, Log Replay). Nothing is written. */
export async function replayLog(path: string, file: ByteSource, log: ByteRange, logGuid: string): Promise<PatchedSource> {
  if (log.length > MAX_LOG) throw new VhdxLogError(path, `its log of ${log.length} bytes is larger than any known program writes`);
  const bytes = new Uint8Array(Math.min(log.length, Math.max(0, file.sizeBytes - log.offset)));
  if (bytes.length < log.length) throw new VhdxLogError(path, 'its log reaches past the end of the file');
  await file.read(log.offset, bytes);
  const sequence = activeSequence(bytes, logGuid);
  const newest = sequence.at(-1);
  if (!newest) throw new VhdxLogError(path, 'its log is in use but holds no intact sequence of entries');
  if (newest.flushedFileOffset > file.sizeBytes) {
    throw new VhdxLogError(path, `it was cut off: it had at least ${newest.flushedFileOffset} bytes when its log was written`);
  }
  const patches = sequence.flatMap((entry) => entry.patches);
  for (const patch of patches) checkPlace(path, patch, log, Math.max(file.sizeBytes, newest.lastFileOffset));
  return patchedSource(path, file, patches, newest.lastFileOffset);
}

/**
 * The entries to replay, oldest first: of all runs of intact entries with consecutive numbers whose last entry names a tail
 * within the run, the one with the highest number, from that tail on.
 */
export function activeSequence(log: Uint8Array, logGuid: string): LogEntry[] {
  let active: LogEntry[] = [];
  for (let at = 0; at < log.length; ) {
    const run = runFrom(log, logGuid, at);
    const newest = run.at(-1)?.entry;
    const tail = newest ? run.findIndex((member) => member.at === newest.tail) : -1;
    if (newest && tail >= 0 && newest.sequenceNumber > (active.at(-1)?.sequenceNumber ?? 0n)) {
      active = run.slice(tail).map((member) => member.entry);
    }
    // A run that begins later inside this one has the same end and fewer entries: it cannot be better.
    at += run.reduce((sum, { entry }) => sum + entry.length, 0) || LOG_SECTOR;
  }
  return active;
}

/** Intact entries with consecutive numbers from `start` on, around the log's end to its beginning, at most once around. */
function runFrom(log: Uint8Array, logGuid: string, start: number): { readonly at: number; readonly entry: LogEntry }[] {
  const run: { at: number; entry: LogEntry }[] = [];
  let [at, used] = [start, 0];
  while (used < log.length) {
    const entry = entryAt(log, logGuid, at, log.length - used);
    const former = run.at(-1)?.entry;
    if (!entry || (former && entry.sequenceNumber !== former.sequenceNumber + 1n)) break;
    run.push({ at, entry });
    used += entry.length;
    at = (at + entry.length) % log.length;
  }
  return run;
}

function entryAt(log: Uint8Array, logGuid: string, at: number, room: number): LogEntry | undefined {
  const length = declaredEntryLength(log.subarray(at, at + LOG_SECTOR), logGuid, log.length);
  if (length === undefined || length > room) return undefined;
  const inPlace = log.subarray(at, at + length);
  return parseLogEntry(inPlace.length === length ? inPlace : Buffer.concat([inPlace, log.subarray(0, length - inPlace.length)]));
}

function checkPlace(path: string, patch: ByteRange, log: ByteRange, fileSize: number): void {
  const end = patch.offset + patch.length;
  const inHeaders = patch.offset < REGION_TABLE_POSITIONS[0];
  const inLog = patch.offset < log.offset + log.length && end > log.offset;
  if (inHeaders || inLog || end > fileSize)
    throw new VhdxLogError(path, `its log would write ${patch.length} bytes at ${patch.offset}, where it must not`);
}
