import { basename } from 'node:path';
import { Command } from 'commander';
import { convertDisk } from '../../core/disk-convert.ts';
import type { App } from '../app.ts';
import { convertView } from './convert-view.ts';
import { chooseFormat } from './image-format.ts';

interface ExportOptions {
  readonly format: string;
  readonly parent?: string;
  readonly overwrite?: boolean;
}

export function diskExportCommand(app: App, convert = convertDisk): Command {
  return new Command('export')
    .summary('Write the content of an image to a raw file.')
    .argument('<image>', 'the image; its parents are read too')
    .argument('<out>', 'the file to make')
    .option('--format <format>', 'raw, vhdx or vhd', 'raw')
    .option('--parent <file>', 'parent of a differencing image, instead of what its locators say')
    .option('--overwrite', 'replace a file that is there')
    .addHelpText('after', '\nExamples:\n  mabs disk export web01.vhdx web01.raw\n  mabs disk export web01.avhdx web01.raw --overwrite')
    .action(async (image: string, output: string, { parent, overwrite = false, ...options }: ExportOptions) => {
      const format = chooseFormat(output, options.format);
      const diskFormats = await app.diskFormats();
      const { signal } = app;
      const report = await app.withProgress('Exporting', (show) => {
        const onProgress = (progress: { doneBytes: number; totalBytes: number }) => show({ label: basename(image), ...progress });
        const from = { image, ...(parent !== undefined && { parent }) };
        return convert(diskFormats, { ...from, output, format, subformat: 'dynamic', overwrite, signal, onProgress });
      });
      app.render(report, convertView);
    });
}
