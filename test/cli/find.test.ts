import { describe, expect, it } from '@jest/globals';
import { findCommand } from '../../src/cli/find.ts';
import { quotedWord } from '../../src/cli/quoted-word.ts';
import type { FindReport, FindRequest } from '../../src/core/find/find-files.ts';
import { fakeApp } from '../builders/fake-app.ts';
import { runCommand } from '../builders/run-command.ts';

const point = (id: string) => ({ id, capturedAt: '2026-11-20T18:00:00.000Z' });
const version = {
  type: 'file' as const,
  size: 2048,
  modified: '2026-11-19T10:00:00Z',
  points: 2,
  first: point('aaaa'),
  last: point('bbbb'),
};
const report: FindReport = {
  files: [{ vm: 'hv1/web', path: "/disk0/p2/it's.txt", versions: [{ ...version, source: "hv1/web@bbbb:/disk0/p2/it's.txt" }] }],
  points: 3,
  notes: ['hv1/web:/disk1/p1 was not searched: the volume is BitLocker'],
};

async function run(words: string[], json = false) {
  const app = fakeApp({ json, ports: async () => ({}) as never });
  let asked: FindRequest | undefined;
  await runCommand(
    findCommand(app, async (_ports, request) => {
      asked = request;
      request.onStep?.('hv1/web /disk0/p2');
      return report;
    }),
    ...words,
  );
  return { app, asked };
}

describe('mabs find', () => {
  it('hands on what is looked for and where, and shows how it gets on', async () => {
    const { app, asked } = await run(['*.txt', '--vm', 'hv1/web', '--since', '2026-11-01']);
    expect(asked).toMatchObject({ glob: '*.txt', vm: 'hv1/web', since: '2026-11-01', signal: app.signal });
    expect(app.progress).toEqual([{ label: 'hv1/web /disk0/p2' }]);
  });

  it('shows versions with their points, the command that brings one back, and what was not searched', async () => {
    const { app } = await run(['*.txt']);
    expect(app.stdout()).toContain("hv1/web:/disk0/p2/it's.txt");
    expect(app.stdout()).toMatch(/2 KiB\s+2\s+\S+ \S+\s+\S+ \S+\s+bbbb/);
    expect(app.stdout()).toContain(`mabs recover ${quotedWord(report.files[0]!.versions[0]!.source)} --to folder:DIR`);
    expect(app.stderr()).toContain('BitLocker');
  });

  it('says where nothing fits a path of Windows why that may be', async () => {
    const app = fakeApp({ ports: async () => ({}) as never });
    await runCommand(
      findCommand(app, async () => ({ files: [], points: 2, notes: [] })),
      'Users\\ada',
    );
    expect(app.stdout()).toBe('Nothing found in 2 points.\n');
    expect(app.stderr()).toContain('Nothing fits Users\\ada. Names are separated by /');
  });

  it('prints everything as one JSON document', async () => {
    const { app } = await run(['*.txt'], true);
    expect(JSON.parse(app.stdout())).toEqual(report);
  });
});
