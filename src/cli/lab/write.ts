import { Command } from 'commander';
import { type LabWrite, writeToLab } from '../../core/lab-write.ts';
import { formatSize, parseSize } from '../../lib/sizes.ts';
import { UnreadableValueError } from '../../lib/unreadable-value.ts';
import type { App } from '../app.ts';
import { UsageError } from '../usage-error.ts';

interface WriteOptions {
  readonly disk: string;
  readonly offset?: string;
  readonly length?: string;
  readonly from?: string;
  readonly data?: string;
  readonly text?: string;
  readonly zero?: boolean;
  readonly random?: string;
  readonly count?: string;
  readonly maxLength: string;
}

const CONTENT =
  'Name one of --from FILE, --data HEX, --text TEXT (with --offset), --zero and --random SEED (with --offset and --length, or --random with --count).';

export function labWriteCommand(app: App, write = writeToLab): Command {
  return new Command('write')
    .summary('Write into a simulated VM as its guest would.')
    .argument('<vm>', 'HOST/NAME, HOST/{GUID}, or the folder of a simulated VM')
    .option('--disk <disk>', 'position (0, disk1) or key of the disk', '0')
    .option('--offset <bytes>', 'where on the virtual disk to begin, such as 0 or 1MiB')
    .option('--from <file>', 'the content of this file, or of stdin: -')
    .option('--data <hex>', 'these bytes')
    .option('--text <text>', 'this text, in UTF-8')
    .option('--zero', 'zeros, --length of them')
    .option('--random <seed>', '--length bytes that only the seed decides, or --count writes at places that it decides')
    .option('--length <size>', 'how much to write')
    .option('--count <n>', 'with --random: so many writes of whole sectors, scattered over the disk but for its first and last MiB')
    .option('--max-length <size>', 'with --count: the longest of them', '64KiB')
    .addHelpText('after', HELP)
    .action(async (vm: string, options: WriteOptions) => {
      const report = await write(app, vm, await writeOf(options));
      app.render(report, ({ vm: name, disk, bytesWritten, pieces }) => {
        const times = pieces > 1 ? ` in ${pieces} pieces` : '';
        return `${formatSize(bytesWritten)}${times} written to ${disk} of ${name}`;
      });
    });
}

const HELP = `
Each call is one new change-tracking id, where the disk has change tracking. While a backup reads the disk, what is written goes
to a differencing disk over it, as on Hyper-V.

Examples:
  mabs lab write hv1/win-files --offset 100MiB --from report.pdf
  mabs lab write hv1/linux-web --disk 1 --offset 4096 --text "hello"
  mabs lab write ./lab/win-files --random 7 --count 100 --max-length 64KiB`;

async function writeOf(options: WriteOptions): Promise<LabWrite> {
  const { disk, from, data, text, zero, random, count } = options;
  const named = [from, data, text, zero, random].filter((value) => value !== undefined).length;
  if (named !== 1) throw new UsageError('mabs lab write needs to know what to write, once', CONTENT);
  if (count !== undefined) {
    if (random === undefined) throw new UsageError('--count goes with --random', CONTENT);
    return { kind: 'scattered', disk, count: parseCount(count), maxLength: parseSize(options.maxLength), seed: random };
  }
  if (options.offset === undefined) throw new UsageError('mabs lab write needs --offset', CONTENT);
  const offset = parseSize(options.offset);
  if (from === '-') return { kind: 'bytes', disk, offset, bytes: await readAll(process.stdin) };
  if (from !== undefined) return { kind: 'file', disk, offset, file: from };
  if (data !== undefined) return { kind: 'bytes', disk, offset, bytes: parseHex(data) };
  if (text !== undefined) return { kind: 'bytes', disk, offset, bytes: Buffer.from(text) };
  if (options.length === undefined) throw new UsageError('mabs lab write needs --length', CONTENT);
  const length = parseSize(options.length);
  return random === undefined ? { kind: 'zero', disk, offset, length } : { kind: 'random', disk, offset, length, seed: random };
}

function parseCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count === 0) throw new UnreadableValueError('a number of writes', text, '100, up to 999999');
  return count;
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/^0x/i, '').replaceAll(/[\s:]/g, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits))
    throw new UnreadableValueError('a row of bytes in hex', text, 'deadbeef or 00:11:22');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
