import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { absoluteReference, readSecret } from '../../src/core/secrets.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-secret-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function aFile(content: string): Promise<string> {
  const path = join(folder, 'key');
  await writeFile(path, content);
  return path;
}

const node = (script: string) => ({ command: `"${process.execPath}" -e "${script}"` });

describe('a passphrase from a file', () => {
  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\nother line\r\n', 'secret'],
    [' blanks count ', ' blanks count '],
    ['pässwörd ☃', 'pässwörd ☃'],
  ])('is the first line: %j', async (content, secret) => expect(await readSecret({ file: await aFile(content) })).toBe(secret));

  it.each(['', '\nsecret', `${'x'.repeat(5000)}`])('is refused when that is empty or too long', async (content) => {
    await expect(readSecret({ file: await aFile(content) })).rejects.toMatchObject({ code: 'MABS-PASSPHRASE-SOURCE' });
  });

  it('names a file that is not there', async () => {
    await expect(readSecret({ file: join(folder, 'none') })).rejects.toMatchObject({
      code: 'MABS-PASSPHRASE-SOURCE',
      message: expect.stringContaining('none'),
    });
  });
});

describe('a passphrase from a command', () => {
  it('is the first line it prints, with no shell between', async () => {
    expect(await readSecret(node(`console.log('$HOME; ok')`))).toBe('$HOME; ok');
  });

  it('is not taken from a command that fails, and no word of what it printed is told', async () => {
    const failing = readSecret(node(`console.log('hunter2'); process.exit(3)`));
    await expect(failing).rejects.toMatchObject({ code: 'MABS-PASSPHRASE-SOURCE', message: expect.stringContaining('exit code 3') });
    await failing.catch((error: Error) => expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain('hunter2\n'));
  });

  it('is missing when the command cannot be started', async () => {
    await expect(readSecret({ command: 'mabs-no-such-program' })).rejects.toMatchObject({ code: 'MABS-PASSPHRASE-SOURCE' });
  });
});

it('remembers files by their absolute path', () => {
  const kept = absoluteReference({ file: 'key' });
  expect('file' in kept && isAbsolute(kept.file)).toBe(true);
  expect(absoluteReference({ command: 'vault read' })).toEqual({ command: 'vault read' });
});
