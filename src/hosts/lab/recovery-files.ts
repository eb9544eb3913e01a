import { mkdir, rmdir } from 'node:fs/promises';
import { isAbsolute, join, posix } from 'node:path';
import { pathExists } from 'fs-extra/esm';
import { z } from 'zod';
import type { DiskFormatName } from '../../disks/disk-format.ts';
import { flushFolder, makeFolderDurably } from '../../lib/durable-files.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { trackingPath } from './change-tracking.ts';
import { removeFile } from './durable-json.ts';
import type { LabContext } from './lab-context.ts';
import { inFolder } from './overlays.ts';

/** What a recovery is about to make, as plain data: enough to remove it, or to see that it was finished. */
export const recoveryFactsSchema = z.object({
  recoveryId: z.string(),
  /** Name of the VM's folder on the host. */
  folderName: z.string().regex(/^[^/\\]+$/),
  /** Folders that the recovery made, innermost first. */
  madeFolders: z.array(z.string()),
  /** Paths as `vm.json` will write them. */
  targets: z.array(z.object({ key: z.string(), path: z.string(), format: z.enum(['vhdx', 'vhd', 'raw']) })),
});

export type RecoveryFacts = z.infer<typeof recoveryFactsSchema>;

const EXTENSIONS: Readonly<Record<DiskFormatName, string>> = { vhdx: '.vhdx', vhd: '.vhd', raw: '.raw' };
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** A file or folder name that Linux and Windows take, as near to `name` as can be. */
export function safeName(name: string): string {
  const plain = name
    .replace(/[<>:"/\\|?*\u0000-\u001f]/g, '_')
    .slice(0, 100)
    .replace(/[. ]+$/, '')
    .replace(/^\./, '_');
  return RESERVED.test(plain) ? `_${plain}` : plain || '_';
}

/** The name of a recovered disk's file, from the path that it had, on whatever system: `disk0.vhdx`, `disk0-1a2b3c4d.vhdx`. */
export function targetName(formerPath: string, format: DiskFormatName, mark = ''): string {
  const base = formerPath.split(/[\\/]/).at(-1)!;
  const stem = base.replace(/\.(a?vhdx?|raw|img|vhds)$/i, '').replace(/-[0-9a-f]{8}$/, '');
  return `${safeName(stem)}${mark}${EXTENSIONS[format]}`;
}

/** The mark of a recovery in the names of its files. */
export function recoveryMark(recoveryId: string): string {
  return `-${recoveryId
    .toLowerCase()
    .replace(/[^0-9a-f]/g, '')
    .padEnd(8, '0')
    .slice(0, 8)}`;
}

/** `wanted`, or with a number before its extension: the first that is neither taken nor there. */
export async function freePath(folder: string, wanted: string, taken: ReadonlySet<string>): Promise<string> {
  const { dir, name, ext } = posix.parse(wanted);
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : posix.join(dir, `${name}-${number}${ext}`);
    if (taken.has(path.toLowerCase())) continue;
    if (!(await pathExists(inFolder({ folder }, path)))) return path;
  }
}

/**
 * Makes a folder of this name, or of the first free one like it; never one that is there. Answers its name. `note` hears of it before
 * it is made.
 */
export async function makeFolder(parent: string, wanted: string, note: (name: string) => Promise<void> = async () => {}): Promise<string> {
  await makeFolderDurably(parent);
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (await pathExists(join(parent, name))) continue;
    await note(name);
    try {
      await mkdir(join(parent, name));
      await flushFolder(parent);
      return name;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Removes what a recovery wrote, and the folders that it made where nothing else is in them. */
export async function removeTargets(lab: LabContext, facts: RecoveryFacts): Promise<void> {
  const folder = join(lab.path, facts.folderName);
  for (const { path } of facts.targets) {
    await removeFile(inFolder({ folder }, path));
    await removeFile(trackingPath(inFolder({ folder }, path)));
  }
  for (const made of facts.madeFolders) {
    try {
      await rmdir(isAbsolute(made) ? made : join(lab.path, made));
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
    }
  }
}
