import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { RunTable } from '../../../src/pool/engine/run-table.ts';

const digestOf = (number: number) => hash('sha256', `${number}`, 'buffer');

describe('the table of a run', () => {
  it('gives each digest to the first who claims it', () => {
    const table = RunTable.create(1000);
    for (let number = 0; number < 1000; number += 1) expect(table.claim(digestOf(number))).toBe(true);
    for (let number = 0; number < 1000; number += 1) expect(table.claim(digestOf(number))).toBe(false);
    expect(table.count).toBe(1000);
    table.clear();
    expect(table.count).toBe(0);
    expect(table.claim(digestOf(1))).toBe(true);
  });

  it('gives each digest to one of several threads that claim all at once', async () => {
    const table = RunTable.create(20_000);
    const code = `
      import { hash } from 'node:crypto';
      import { parentPort, workerData } from 'node:worker_threads';
      const { RunTable } = await import(workerData.module);
      const table = RunTable.over(workerData.memory);
      let claimed = 0;
      for (let number = 0; number < 20000; number += 1) if (table.claim(hash('sha256', String(number), 'buffer'))) claimed += 1;
      parentPort.postMessage(claimed);`;
    const module = new URL('../../../src/pool/engine/run-table.ts', import.meta.url).href;
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const workers = Array.from({ length: 3 }, () => new Worker(url, { workerData: { module, memory: table.memory }, execArgv: [] }));
    const claimed = await Promise.all(
      workers.map((worker) => new Promise<number>((resolve, reject) => worker.on('message', resolve).on('error', reject))),
    );
    expect(claimed.reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(table.count).toBe(20_000);
  });
});
