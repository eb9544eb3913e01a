import { basename } from 'node:path';
import { Command } from 'commander';
import { convertDisk } from '../../core/disk-convert.ts';
import type { App } from '../app.ts';
import { convertView } from './convert-view.ts';
import { chooseFormat, oneOf, optionalSize } from './image-format.ts';

interface ConvertOptions {
  readonly format?: string;
  readonly type: string;
  readonly blockSize?: string;
  readonly parent?: string;
  readonly overwrite?: boolean;
}

export function diskConvertCommand(app: App, convert = convertDisk): Command {
  return new Command('convert')
    .summary('Convert an image to another format.')
    .argument('<image>', 'the image; its parents are read too')
    .argument('<out>', 'the image to make')
    .option('--format <format>', 'vhdx, vhd or raw; told by the name of the output when absent')
    .option('--type <type>', 'dynamic or fixed', 'dynamic')
    .option('--block-size <size>', "bytes in a block; the format's default when absent")
    .option('--parent <file>', 'parent of a differencing image, instead of what its locators say')
    .option('--overwrite', 'replace a file that is there')
    .addHelpText('after', '\nExamples:\n  mabs disk convert web01.vhdx web01.vhd\n  mabs disk convert web01.vhd web01.vhdx --type fixed')
    .action(async (image: string, output: string, options: ConvertOptions) => {
      const format = chooseFormat(output, options.format);
      const subformat = oneOf('--type', options.type, ['dynamic', 'fixed']);
      const blockSize = optionalSize(options.blockSize);
      const { parent, overwrite = false } = options;
      const diskFormats = await app.diskFormats();
      const report = await app.withProgress('Converting', (show) =>
        convert(diskFormats, {
          image,
          output,
          format,
          subformat,
          overwrite,
          ...(blockSize !== undefined && { blockSize }),
          ...(parent !== undefined && { parent }),
          signal: app.signal,
          onProgress: (progress) => show({ label: basename(image), ...progress }),
        }),
      );
      app.render(report, convertView);
    });
}
