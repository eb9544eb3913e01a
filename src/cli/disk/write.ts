import { basename } from 'node:path';
import { Command } from 'commander';
import { type WriteContent, writeDisk } from '../../core/disk-write.ts';
import { formatSize, parseSize } from '../../lib/sizes.ts';
import { UnreadableValueError } from '../../lib/unreadable-value.ts';
import type { App } from '../app.ts';
import { UsageError } from '../usage-error.ts';

interface WriteOptions {
  readonly offset: string;
  readonly from?: string;
  readonly data?: string;
  readonly pattern?: string;
  readonly zero?: boolean;
  readonly random?: string;
  readonly length?: string;
  readonly parent?: string;
}

const CONTENT = 'Name one of --from FILE, --data HEX, --pattern HEX, --zero and --random SEED; the last three with --length N.';

export function diskWriteCommand(app: App, write = writeDisk): Command {
  return new Command('write')
    .summary('Write into an image.')
    .argument('<image>', 'the image, changed in place')
    .requiredOption('--offset <bytes>', 'where on the virtual disk to begin, such as 0 or 1MiB')
    .option('--from <file>', 'the content of this file, or of stdin: -')
    .option('--data <hex>', 'these bytes')
    .option('--pattern <hex>', 'these bytes over and over, up to --length')
    .option('--zero', 'zeros, --length of them')
    .option('--random <seed>', '--length bytes that only the seed decides')
    .option('--length <size>', 'how much to write')
    .option('--parent <file>', 'parent of a differencing image, instead of what its locators say')
    .addHelpText(
      'after',
      '\nExamples:\n  mabs disk write a.vhdx --offset 1MiB --from part.bin\n  mabs disk write a.vhdx --offset 0 --random 7 --length 64KiB',
    )
    .action(async (image: string, options: WriteOptions) => {
      const content = contentOf(options);
      const offset = parseSize(options.offset);
      const diskFormats = await app.diskFormats();
      const report = await app.withProgress('Writing', (show) =>
        write(diskFormats, {
          image,
          offset,
          content,
          ...(options.parent !== undefined && { parent: options.parent }),
          signal: app.signal,
          onProgress: (progress) => show({ label: basename(image), ...progress }),
        }),
      );
      app.render(report, (done) => `${formatSize(done.bytesWritten)} written at ${done.offset}`);
    });
}

function contentOf(options: WriteOptions): WriteContent {
  const { from, data, pattern, zero, random } = options;
  const named = [from, data, pattern, zero, random].filter((value) => value !== undefined).length;
  if (named !== 1) throw new UsageError('mabs disk write needs to know what to write, once', CONTENT);
  if ((from ?? data) !== undefined) {
    if (options.length !== undefined) throw new UsageError('--length does not go with --from and --data', CONTENT);
    if (data !== undefined) return { kind: 'bytes', bytes: parseHex(data) };
    return from === '-' ? { kind: 'stream', stream: process.stdin } : { kind: 'file', path: from! };
  }
  if (options.length === undefined) throw new UsageError('mabs disk write needs --length', CONTENT);
  const length = parseSize(options.length);
  if (pattern !== undefined) return { kind: 'pattern', pattern: parseHex(pattern), length };
  return random === undefined ? { kind: 'zero', length } : { kind: 'random', seed: random, length };
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/^0x/i, '').replaceAll(/[\s:]/g, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits)) {
    throw new UnreadableValueError('a row of bytes in hex', text, 'deadbeef or 00:11:22');
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
