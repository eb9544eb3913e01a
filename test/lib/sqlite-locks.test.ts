import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryLocks } from '../../src/lib/memory-locks.ts';
import { createSqliteLocks } from '../../src/lib/sqlite-locks.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-locks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Another process that takes a lock, says so, and holds it until it is killed. */
async function holder(name: string): Promise<{ kill(): Promise<void> }> {
  const url = new URL('../../src/lib/sqlite-locks.ts', import.meta.url).href;
  const script = `const { createSqliteLocks } = await import(${JSON.stringify(url)});
    await createSqliteLocks(${JSON.stringify(folder)}).acquire(${JSON.stringify(name)}, { what: 'x', waitMs: 0 });
    console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe.each([
  { what: 'locks in a folder', open: () => createSqliteLocks(folder) },
  { what: 'locks in memory', open: () => createMemoryLocks() },
])('$what', ({ open }) => {
  it('are held by one at a time, and free again once released', async () => {
    const locks = open();
    const lock = await locks.acquire('pool-1-commit', { what: 'the pool', waitMs: 0 });
    expect(await locks.isHeld('pool-1-commit')).toBe(true);
    expect(await locks.isHeld('another')).toBe(false);
    await expect(locks.acquire('pool-1-commit', { what: 'the pool', waitMs: 0 })).rejects.toMatchObject({
      code: 'MABS-LOCKED',
      kind: 'locked',
      message: 'the pool is locked by another mabs process',
    });
    await lock[Symbol.asyncDispose]();
    await lock[Symbol.asyncDispose]();
    expect(await locks.isHeld('pool-1-commit')).toBe(false);
    await (await locks.acquire('pool-1-commit', { what: 'the pool', waitMs: 0 }))[Symbol.asyncDispose]();
  });

  it('are waited for as long as was asked', async () => {
    const locks = open();
    const lock = await locks.acquire('a', { what: 'a', waitMs: 0 });
    const second = locks.acquire('a', { what: 'a', waitMs: 5000 });
    await lock[Symbol.asyncDispose]();
    await (await second)[Symbol.asyncDispose]();
  });
});

describe('locks in a folder', () => {
  it('wait no longer than asked, by the clock of whoever sleeps for them', async () => {
    const waits: number[] = [];
    const locks = createSqliteLocks(folder, { sleep: async (ms) => void waits.push(ms) });
    await locks.acquire('a', { what: 'a', waitMs: 0 });
    await expect(locks.acquire('a', { what: 'a', waitMs: 1000 })).rejects.toMatchObject({ code: 'MABS-LOCKED' });
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(1000);
    await (await locks.acquire('b', { what: 'b', waitMs: 0 }))[Symbol.asyncDispose]();
  });

  it('are let go of by the kernel when their process is killed', async () => {
    const locks = createSqliteLocks(folder);
    const other = await holder('vm-1');
    expect(await locks.isHeld('vm-1')).toBe(true);
    await expect(locks.acquire('vm-1', { what: 'the VM', waitMs: 0 })).rejects.toMatchObject({ code: 'MABS-LOCKED' });
    await other.kill();
    expect(await locks.isHeld('vm-1')).toBe(false);
    await (await locks.acquire('vm-1', { what: 'the VM', waitMs: 0 }))[Symbol.asyncDispose]();
  });

  it('leave a file of a name that every system takes, until it is forgotten', async () => {
    const locks = createSqliteLocks(folder);
    const lock = await locks.acquire('group/Ünï:1', { what: 'x', waitMs: 0 });
    await locks.forget!('group/Ünï:1');
    for (const name of await readdir(folder)) expect(name).toMatch(/^[a-z0-9%_.-]+$/);
    expect(await readdir(folder)).toHaveLength(1);
    await lock[Symbol.asyncDispose]();
    await locks.forget!('group/Ünï:1');
    await locks.forget!('never seen');
    expect(await readdir(folder)).toEqual([]);
  });
});
