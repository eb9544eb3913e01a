import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/mabs.js', import.meta.url));

/** One system call that succeeded, in the order in which calls ended. */
export interface TracedCall {
  readonly name: string;
  /** Paths that it names, and of the file descriptors that it was given. */
  readonly paths: readonly string[];
}

/** Runs the program under strace and answers what it did to files, and its exit code. `file` takes the trace. */
export async function traceMabs(
  home: string,
  words: readonly string[],
  file: string,
): Promise<{ readonly exitCode: number | null; readonly calls: readonly TracedCall[] }> {
  const calls = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat';
  const line = ['-f', '-y', '-qq', '-s', '500', '-o', file, '-e', `trace=${calls}`, process.execPath, BIN, ...words];
  const env = { ...process.env, MABS_HOME: home, MABS_SOURCE: '1' };
  const child = spawn('strace', line, { env, stdio: 'ignore' });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, calls: parseTrace(await readFile(file, 'utf8')) };
}

/** Reads strace's lines; a call that another thread interrupted is put together again. */
function parseTrace(text: string): TracedCall[] {
  const begun = new Map<string, string>();
  const calls: TracedCall[] = [];
  for (const line of text.split('\n')) {
    const [, process, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!process || !rest) continue;
    if (rest.endsWith('<unfinished ...>')) begun.set(process, rest.slice(0, -'<unfinished ...>'.length));
    else {
      const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
      const whole = resumed ? `${begun.get(process) ?? ''}${resumed[1]}` : rest;
      const [, name, given, result] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(whole) ?? [];
      if (name && given && result === '0')
        calls.push({ name, paths: [...given.matchAll(/<([^<>]+)>|"([^"]+)"/g)].map(([, a, b]) => a ?? b!) });
    }
  }
  return calls;
}
