import { Command } from 'commander';
import { listFiles } from '../../core/inside/list-files.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { nothingFits } from '../nothing-fits.ts';
import { printFiles } from '../print-files.ts';
import { type LookOptions, openFrom, PARENT_OPTION, WITH_OPTION } from './open-from.ts';

export function diskFindCommand(app: App, list = listFiles): Command {
  return new Command('find')
    .summary('Find files on the volumes of an image by their names.')
    .argument('<image>', 'IMAGE, IMAGE:/pN/PATH or IMAGE:/lv/VG/LV/PATH')
    .argument('<glob>', "a pattern: of names ('*.docx'), or with / of paths from there ('Users/*/notes.txt', '**/etc/*.conf')")
    .option(...PARENT_OPTION)
    .option(...WITH_OPTION)
    .addHelpText('after', examples("mabs disk find web01.vhdx '*.{doc,docx}'", "mabs disk find web01.vhdx:/p2/Users '*/Desktop/*'"))
    .action(async (image: string, glob: string, options: LookOptions) => {
      const { machine, path } = await openFrom(app, image, options);
      await using _open = machine;
      await printFiles(app, machine, list(machine, path, { glob, signal: app.signal }), nothingFits(glob));
    });
}
