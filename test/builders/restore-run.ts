import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExtrasFile } from '../../src/core/restore-files/extras-file.ts';
import { Limiter } from '../../src/core/restore-files/limiter.ts';
import { OpenFolder } from '../../src/core/restore-files/open-folder.ts';
import { RecoveryRows } from '../../src/core/restore-files/recovery-rows.ts';
import type { RestoreContext, TreeSource } from '../../src/core/restore-files/restore-context.ts';
import { restoreTree } from '../../src/core/restore-files/restore-tree.ts';
import { settle } from '../../src/core/restore-files/settle.ts';
import { openTarget, type TargetOptions } from '../../src/core/restore-files/target.ts';
import type { FileSystem } from '../../src/filesystems/file-system.ts';

/** A folder to recover into, in a folder of its own that a test can look through. */
export interface RestoreWorld extends AsyncDisposable {
  /** Holds `target` and nothing else: whatever else appears here was written outside of it. */
  readonly around: string;
  readonly target: string;
}

export async function aRestoreWorld(): Promise<RestoreWorld> {
  const around = await mkdtemp(join(tmpdir(), 'mabs-restore-'));
  const target = join(around, 'target');
  await mkdir(target);
  return { around, target, [Symbol.asyncDispose]: () => rm(around, { recursive: true, force: true, maxRetries: 5 }) };
}

export type RestoreRunOptions = Partial<Pick<RestoreContext, 'existing' | 'links' | 'owner' | 'setId' | 'signal'>> &
  Partial<Pick<TargetOptions, 'names' | 'anchors' | 'streams' | 'id'>> &
  Partial<Pick<TreeSource, 'as'>> & { readonly onBytes?: (bytes: number) => void };

/** Recovers the root of a file system into a target, as the use case does, under the name `all`. */
export async function restoreRun(target: string, system: FileSystem, options: RestoreRunOptions = {}): Promise<RecoveryRows> {
  const { id = '11112222', names = 'auto', anchors, streams, onBytes = () => {}, signal } = options;
  await using opened = await openTarget({ folder: target, id, names, ...(anchors && { anchors }), ...(streams && { streams }) });
  const { existing = 'refuse', links = 'keep', owner = false, setId = false } = options;
  const rows = new RecoveryRows();
  const extras = new ExtrasFile(opened.staging.path, id);
  const limiter = new Limiter(8);
  const flags = { existing, links, owner, setId, onBytes, onFile: () => {} };
  const context: RestoreContext = { target: opened, rows, extras, limiter, ...flags, ...(signal && { signal }) };
  const root = new OpenFolder(opened.root, '', async () => {});
  try {
    const node = await system.root();
    await restoreTree(context, { system, node, volume: 'hv1/web@1', names: [], as: options.as ?? 'all' }, root);
    await limiter.finish();
    for (const name of await extras.finish()) await settle(context, root, name, name);
    return rows;
  } finally {
    await limiter.settle();
    await extras.close();
  }
}
