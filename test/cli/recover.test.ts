import { describe, expect, it } from '@jest/globals';
import { recoverCommand } from '../../src/cli/recover.ts';
import type { Ports } from '../../src/core/ports.ts';
import type { RecoverReport, RecoverRequest } from '../../src/core/recover.ts';
import { fakeApp } from '../builders/fake-app.ts';
import { runCommand } from '../builders/run-command.ts';

const counts = { files: 1, folders: 2, links: 0, skipped: 1, failed: 1, renamed: 1, bytesWritten: 2048, notListed: 0 };
const row = { source: 'hv1/web@1:/disk0/p1/a', path: '/r/a', type: 'file', status: 'ok', bytesWritten: 1 } as const;
const report: RecoverReport = { status: 'ok', target: 'folder:/r', pointId: 'p', disks: [], files: [row], durationMs: 5 };

async function asked(words: readonly string[], answer: RecoverReport = report) {
  const requests: RecoverRequest[] = [];
  const ports = {} as Ports;
  const app = fakeApp({ ports: async () => ports });
  await runCommand(
    recoverCommand(app, async (_ports, request) => {
      requests.push(request);
      return answer;
    }),
    ...words,
  );
  return { app, request: requests[0]! };
}

describe('mabs recover of files', () => {
  const points = ['hv1/web@latest:/disk0/p2/a b', 'hv1/db@latest:/lv/vg/root/etc'];

  it('passes everything on that was named', async () => {
    const { request } = await asked([
      ...points,
      '--to',
      'folder:/r',
      '--skip',
      '--links',
      'skip',
      '--names',
      'windows',
      '--owner',
      '--set-id',
    ]);
    expect(request).toMatchObject({
      point: points,
      to: 'folder:/r',
      existing: 'skip',
      files: { links: 'skip', names: 'windows', owner: true, setId: true },
    });
    expect((await asked([...points, '--to', 'host-folder:hv1:x', '--dry-run'])).request).toMatchObject({ files: { dryRun: true } });
  });

  it.each([
    [['--to', 'folder:/r', '--skip', '--overwrite'], '--overwrite and --skip'],
    [['--to', 'original', '--skip'], '--skip'],
    [['--to', 'host:hv1', '--dry-run'], '--dry-run'],
    [['--to', 'folder:/r', '--links', 'follow'], '--links'],
    [['--to', 'folder:/r', '--names', 'dos'], '--names'],
  ])('refuses %j', (words, flag) =>
    expect(asked(['hv1/web@latest:/disk0/p1/x', ...words])).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining(flag),
    }),
  );

  it('asks no agreement to what is refused anyway', async () => {
    const { app, request } = await asked([points[0]!, '--to', 'original']);
    expect(request).toMatchObject({ point: [points[0]], to: 'original' });
    expect(app.stderr()).toBe('');
  });

  it('ends with 3 where a file failed, and names it and every other name', async () => {
    const error = { code: 'MABS-FILE-UNREADABLE', message: 'x cannot be read: it is encrypted by EFS', hint: 'h' };
    const files = [
      { ...row, status: 'failed', error } as const,
      { ...row, status: 'skipped' } as const,
      { ...row, path: '/r/a%{3A}b', originalName: 'a:b' },
    ];
    const { app } = await asked([...points, '--to', 'folder:/r'], {
      ...report,
      status: 'partly',
      files,
      counts,
      extras: '/r/mabs-extras-1.jsonl',
    });
    expect(app.exitCode()).toBe(3);
    for (const line of [
      'Partly recovered',
      'MABS-FILE-UNREADABLE',
      'skipped: there already',
      'a%{3A}b',
      '"a:b"',
      '1 file, 2 folders',
      '/r/mabs-extras-1.jsonl',
    ])
      expect(app.stdout()).toContain(line);
  });
});
