import { Command } from 'commander';
import { type ContentToRead, openContent } from '../../core/inside/open-content.ts';
import { throwIfAborted } from '../../lib/errors.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { printNotes } from '../print-files.ts';
import { type LookOptions, openFrom, PARENT_OPTION, WITH_OPTION } from './open-from.ts';

const PIECE_BYTES = 1024 * 1024;

export function diskCatCommand(app: App, open = openContent): Command {
  return new Command('cat')
    .summary('Print the bytes of a file in an image, of one of its streams, or of a volume.')
    .argument('<file>', 'IMAGE:/pN/PATH, IMAGE:/pN/PATH:STREAM; IMAGE:/pN alone: the volume')
    .option(...PARENT_OPTION)
    .option(...WITH_OPTION)
    .addHelpText(
      'after',
      examples(
        'mabs disk cat web01.vhdx:/p2/Users/ada/notes.txt > notes.txt',
        'mabs disk cat web01.vhdx:/p2/setup.exe:Zone.Identifier',
        'mabs disk cat web01.vhdx:/p1 > p1.raw',
      ),
    )
    .action(async (file: string, options: LookOptions) => {
      const { machine, path } = await openFrom(app, file, options);
      await using _open = machine;
      await printContent(app, await open(machine, path));
      await printNotes(app, machine);
    });
}

async function printContent(app: App, content: ContentToRead): Promise<void> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, content.sizeBytes));
  for (let offset = 0; offset < content.sizeBytes; offset += buffer.length) {
    throwIfAborted(app.signal);
    const piece = buffer.subarray(0, Math.min(buffer.length, content.sizeBytes - offset));
    await content.read(offset, piece);
    if (!(await app.writeOut(piece))) return;
  }
}
