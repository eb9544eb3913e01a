import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskFormatName } from '../../disks/disk-format.ts';
import { failureOf } from '../job.ts';
import type { Ports } from '../ports.ts';
import { TargetExistsError } from '../recover-to-folder.ts';
import { type RecoveredDisk, writeRecoveredDisk } from '../write-recovered-disk.ts';
import { copyContent } from './copy-content.ts';
import type { OpenFolder } from './open-folder.ts';
import { type RestoreContext, throwFatal } from './restore-context.ts';
import type { Selected } from './selections.ts';
import { settle, stateOf } from './settle.ts';

/** Writes a volume as it is, bit for bit, into a sparse file. */
export async function restoreVolume(context: RestoreContext, selected: Selected & { type: 'volume' }, into: OpenFolder): Promise<void> {
  const { signal, onBytes } = context;
  await restoreImage(context, selected, into, async (temporary) => {
    await using file = await context.target.staging.within(temporary, (path) => open(path, 'wx', 0o666));
    const bytesWritten = await copyContent(selected.content, file, { onBytes, ...(signal && { signal }) });
    await file.sync();
    return bytesWritten;
  });
}

/** Writes a whole disk. */
export async function restoreDisk(
  ports: Ports,
  context: RestoreContext,
  selected: Selected & { type: 'disk' },
  into: OpenFolder,
  format: DiskFormatName,
): Promise<RecoveredDisk | undefined> {
  const { disk, point, volume: label } = selected;
  const pool = await ports.openPool(point.poolName);
  const { signal, onBytes, target } = context;
  let written: RecoveredDisk | undefined;
  const path = await restoreImage(context, selected, into, async (temporary) => {
    let before = 0;
    const onProgress = ({ doneBytes = 0, totalBytes = 0 }: { doneBytes?: number; totalBytes?: number }) => {
      // Progress goes by the disk's virtual bytes, the job's by those that are data.
      const done = totalBytes > 0 ? Math.floor((disk.dataBytes * doneBytes) / totalBytes) : 0;
      onBytes(done - before);
      before = done;
    };
    const order = { pool, disk, path: join(target.staging.path, temporary), format, label, readBack: false, onProgress };
    written = await writeRecoveredDisk(ports, { ...order, ...(signal && { signal }) });
    return written.bytesWritten;
  });
  return written && path !== undefined ? { ...written, path } : undefined;
}

/** Answers where it lies; nothing where it failed, or what is there was to stay. */
async function restoreImage(
  context: RestoreContext,
  { volume, as }: Selected,
  into: OpenFolder,
  write: (temporary: string) => Promise<number>,
): Promise<string | undefined> {
  const wanted = into.nameFor(as, context.target.rules, 'utf16');
  const path = into.folder.childPath(wanted);
  const row = { source: volume, path, type: 'volume' as const, bytesWritten: 0 };
  const temporary = context.target.stagedName();
  try {
    const state = await stateOf(context, into, wanted);
    if (state === 'taken') throw new TargetExistsError(path);
    const bytesWritten = state === 'skip' ? 0 : await write(temporary);
    const name = state === 'skip' ? undefined : await settle(context, into, temporary, wanted);
    context.onFile();
    if (name === undefined) context.rows.add({ ...row, status: 'skipped' });
    else context.rows.add({ ...row, path: into.folder.childPath(name), status: 'ok', bytesWritten });
    return name === undefined ? undefined : into.folder.childPath(name);
  } catch (error) {
    throwFatal(error, path);
    context.rows.add({ ...row, status: 'failed', error: failureOf(error) }, error);
    return undefined;
  } finally {
    await context.target.staging.within(temporary, (staged) => rm(staged, { force: true, maxRetries: 5 }));
  }
}
