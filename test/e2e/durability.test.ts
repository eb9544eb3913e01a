import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addHost } from '../../src/core/hosts.ts';
import { addPool } from '../../src/core/pools.ts';
import { applyProtect, planProtect } from '../../src/core/protect.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';
import { aJobHome, type JobHome } from '../builders/job-home.ts';
import { type TracedCall, traceMabs } from '../builders/trace-calls.ts';

const hasStrace = spawnSync('strace', ['-V']).error === undefined;
const traced = hasStrace || process.env.MABS_REQUIRE_TOOLS === '1' ? it : it.skip;

let home: TestHome;
let lab: JobHome;
beforeAll(async () => {
  home = await aHome();
  lab = await aJobHome([{ name: 'web', disks: 2 }]);
  await using ports = await home.ports();
  await addHost(ports, { name: 'hv1', type: 'lab', path: join(lab.folder, 'lab') });
  await addPool(ports, { name: 'main', path: join(home.folder, 'pool'), encrypt: false, compression: 'normal' });
  await applyProtect(ports, await planProtect(ports, { group: 'servers', members: ['hv1/web'], policy: {} }));
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** Where an object of the pool got its final name. */
interface Placed {
  readonly at: number;
  readonly path: string;
}

describe('a checkpoint, as strace saw it', () => {
  traced('has everything on the disk before what names it: packs, index, manifest, in this order', async () => {
    const { exitCode, calls } = await traceMabs(home.homePath, ['checkpoint', 'hv1/web'], join(home.folder, 'trace'));
    expect(exitCode).toBe(0);
    const placed = (folder: string) => placedIn(calls, join(home.folder, 'pool', folder));
    const packs = placed('packs');
    const manifests = placed('manifests');
    expect(packs.length).toBeGreaterThan(0);
    expect(manifests.length).toBe(2);
    for (const object of [...packs, ...placed('index'), ...manifests]) {
      expect(wasFlushedBefore(calls, object)).toBe(true);
      expect(folderFlushedAfter(calls, object)).toBeLessThan(calls.length);
    }
    for (const pack of packs) expect(folderFlushedAfter(calls, pack)).toBeLessThan(manifests[0]!.at);
    expect(folderFlushedAfter(calls, manifests[0]!)).toBeLessThan(manifests[1]!.at);
  });
});

/** Objects below a folder that got their final name, by a link or a rename. */
function placedIn(calls: readonly TracedCall[], folder: string): Placed[] {
  return calls.flatMap(({ name, paths }, at) => {
    const path = paths.at(-1);
    return /^(rename|link)/.test(name) && path?.startsWith(folder) ? [{ at, path }] : [];
  });
}

/** The content was flushed under the temporary name before the final one was given. */
function wasFlushedBefore(calls: readonly TracedCall[], { at }: Placed): boolean {
  const temporary = calls[at]!.paths.find((path) => path.endsWith('.tmp'))!;
  return calls.slice(0, at).some(({ name, paths }) => /^f(data)?sync$/.test(name) && paths[0] === temporary);
}

/** When the folder was flushed next: from then on the name is there after a power cut. */
function folderFlushedAfter(calls: readonly TracedCall[], { at, path }: Placed): number {
  const next = calls.findIndex(({ name, paths }, index) => index > at && name === 'fsync' && paths[0] === dirname(path));
  return next < 0 ? Number.POSITIVE_INFINITY : next;
}
