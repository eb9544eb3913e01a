import { open, rename, statfs } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathExists } from 'fs-extra/esm';
import type { DiskFormatName } from '../disks/disk-format.ts';
import { flushFolder, makeFolderDurably, renameExclusively, retrySharing } from '../lib/durable-files.ts';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { TargetFullError } from '../lib/random-access-file.ts';
import type { Manifest, ManifestDisk } from '../model/manifest.ts';
import { diskName } from '../model/names.ts';
import { type JobOptions, jobOptions } from './job.ts';
import { withJournaledFiles } from './journaled-files.ts';
import { pointVm } from './known-points.ts';
import type { Ports } from './ports.ts';
import { checkFormat, type RecoverySource } from './recover-plan.ts';
import type { RecoveredFile } from './recovered-files.ts';
import { type RecoveredDisk, writeRecoveredDisk } from './write-recovered-disk.ts';

export interface FolderRecovery extends JobOptions {
  /** Local or UNC; made where it is missing. */
  readonly folder: string;
  readonly format: DiskFormatName;
  /** Replaces files that are there already. */
  readonly overwrite: boolean;
}

export class TargetExistsError extends MabsError {
  readonly code = 'MABS-TARGET-EXISTS';
  readonly hint =
    'Recover to another folder, or add --overwrite to replace files that are there (no folder gives way to a file); for files also --skip or --rename.';
  constructor(...paths: readonly string[]) {
    const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
    super(`${paths.slice(0, 3).join(', ')}${more} ${paths.length > 1 ? 'exist' : 'exists'} already`);
  }
}

/** One file of the recovery: the name it is written under, and the one it gets when everything is complete. */
interface PendingFile {
  readonly temporary: string;
  readonly final: string;
}

/**
 * Writes disks, and for a whole VM its configuration, into a folder. Everything is written under temporary names and renamed once all
 * of it is complete and durable; whatever stops it before leaves nothing behind, or what the next job removes.
 */
export async function recoverToFolder(ports: Ports, source: RecoverySource, request: FolderRecovery) {
  const folder = resolve(request.folder);
  checkFormat(source.disks, request.format);
  const id = ports.random.uuid();
  const pending = (name: string): PendingFile => ({
    final: join(folder, name),
    temporary: join(folder, `.${name}.${id.slice(0, 8)}.partial`),
  });
  const disks = source.disks.map((disk) => ({ disk, file: pending(`${diskName(disk.index)}.${request.format}`) }));
  const texts = source.whole ? configurationFiles(source.point.manifest).map(({ name, bytes }) => ({ bytes, file: pending(name) })) : [];
  const files = [...disks, ...texts].map(({ file }) => file);
  await makeFolderDurably(folder);
  if (!request.overwrite) for (const { final } of files) await refuseExisting(final);
  await checkSpace(folder, source.disks);
  const temporary = files.map((file) => file.temporary);
  return await withJournaledFiles(ports, { id, point: source.point, files: temporary }, async () => {
    const recovered: RecoveredDisk[] = [];
    for (const { disk, file } of disks) recovered.push(await writeDisk(ports, source, disk, file, request));
    for (const { bytes, file } of texts) await writeDurably(file.temporary, bytes);
    for (const file of files) await settle(file, request.overwrite);
    await flushFolder(folder);
    return {
      target: `folder:${folder}`,
      disks: recovered,
      files: texts.map(({ file, bytes }) => configurationRow(source, file.final, bytes)),
    };
  });
}

function configurationRow({ point }: RecoverySource, path: string, bytes: Uint8Array): RecoveredFile {
  return { source: `${pointVm(point)}@${point.manifest.id.slice(0, 8)}`, path, type: 'file', status: 'ok', bytesWritten: bytes.length };
}

async function writeDisk(ports: Ports, { point }: RecoverySource, disk: ManifestDisk, file: PendingFile, request: FolderRecovery) {
  const pool = await ports.openPool(point.poolName);
  const order = { pool, disk, path: file.temporary, format: request.format, label: pointVm(point), readBack: false };
  return { ...(await writeRecoveredDisk(ports, { ...order, ...jobOptions(request) })), path: file.final };
}

/** Gives a complete file its name: atomically, and never over a file that appeared meanwhile unless told to. */
async function settle({ temporary, final }: PendingFile, overwrite: boolean): Promise<void> {
  if (overwrite) return await retrySharing(() => rename(temporary, final));
  try {
    await renameExclusively(temporary, final);
  } catch (error) {
    throw systemErrorCode(error) === 'EEXIST' ? new TargetExistsError(final) : error;
  }
}

async function refuseExisting(path: string): Promise<void> {
  if (await pathExists(path)) throw new TargetExistsError(path);
}

/** The data must fit; zeros take no room in any of the formats. A volume that does not tell its room is tried. */
async function checkSpace(folder: string, disks: readonly ManifestDisk[]): Promise<void> {
  const space = await statfs(folder).catch(() => undefined);
  if (!space || space.blocks === 0) return;
  const free = space.bavail * space.bsize;
  const needed = disks.reduce((sum, disk) => sum + disk.dataBytes, 0);
  if (needed > free) throw new TargetFullError(folder, { detail: `the recovery needs ${needed} bytes, and ${free} are free` });
}

/** The VM's definition as readable JSON, and the host's own files as they were, under names that every system allows. */
function configurationFiles({ configuration, vm, host }: Manifest): { name: string; bytes: Uint8Array }[] {
  const readable = { name: vm.name, id: vm.id, host, generation: vm.generation, os: vm.os, configuration: configuration.json };
  const files = [{ name: 'vm.json', bytes: Buffer.from(`${JSON.stringify(readable, undefined, 2)}\n`) }];
  configuration.files.forEach(({ name, base64 }, index) => {
    files.push({ name: `configuration-${index}-${harmlessName(name)}`, bytes: Buffer.from(base64, 'base64') });
  });
  return files;
}

function harmlessName(name: string): string {
  const last = basename(name.replaceAll('\\', '/'));
  return (
    last
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .slice(-100)
      .replace(/[.]+$/, '') || 'file'
  );
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
