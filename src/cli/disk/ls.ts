import { Command } from 'commander';
import { listFiles } from '../../core/inside/list-files.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { printFiles } from '../print-files.ts';
import { type LookOptions, openFrom, PARENT_OPTION, WITH_OPTION } from './open-from.ts';

export function diskLsCommand(app: App, list = listFiles): Command {
  return new Command('ls')
    .summary('List the volumes of an image, or the files on them.')
    .argument('<image>', 'IMAGE, IMAGE:/pN/PATH or IMAGE:/lv/VG/LV/PATH')
    .option('--recursive', 'what lies below, too')
    .option('--streams', 'alternate data streams as entries of their own, too')
    .option(...PARENT_OPTION)
    .option(...WITH_OPTION)
    .addHelpText(
      'after',
      examples(
        'mabs disk ls web01.vhdx',
        'mabs disk ls web01.vhdx:/p2/Users',
        'mabs disk ls --json --recursive db.vhdx:/lv/data/pg --with db-2.vhdx',
      ),
    )
    .action(
      async (
        image: string,
        { recursive = false, streams = false, ...options }: LookOptions & { recursive?: boolean; streams?: boolean },
      ) => {
        const { machine, path } = await openFrom(app, image, options);
        await using _open = machine;
        await printFiles(app, machine, list(machine, path, { recursive, streams, signal: app.signal }));
      },
    );
}
