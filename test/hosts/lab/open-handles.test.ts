import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openPaths } from '../../../src/hosts/lab/open-handles.ts';

const onLinux = process.platform === 'linux' ? it : it.skip;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-open-'));
  for (const name of ['a', 'b']) await writeFile(file(name), name);
});
afterAll(() => rm(folder, { recursive: true }));

describe('files that somebody has open', () => {
  onLinux('are found in this process, through links too, and only while they are open', async () => {
    await symlink('a', file('link'));
    const handle = await open(file('a'));
    expect(await openPaths([file('b'), file('link'), file('missing')])).toEqual([file('link')]);
    await handle.close();
    expect(await openPaths([file('a'), file('b')])).toEqual([]);
  });

  onLinux('are found in another process', async () => {
    const handle = await open(file('b'));
    const child = spawn('sleep', ['60'], { stdio: [handle.fd, 'ignore', 'ignore'] });
    await once(child, 'spawn');
    await handle.close();
    expect(await openPaths([file('a'), file('b')])).toEqual([file('b')]);
    child.kill();
    await once(child, 'exit');
    expect(await openPaths([file('b')])).toEqual([]);
  });
});
