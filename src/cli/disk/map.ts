import { Command } from 'commander';
import { type MappedExtent, mapDisk } from '../../core/disk-map.ts';
import type { App } from '../app.ts';

export function diskMapCommand(app: App, map = mapDisk): Command {
  return new Command('map')
    .summary('Show where the data of an image lies.')
    .argument('<image>', 'the image')
    .option('--parent <file>', 'parent of a differencing image, instead of what its locators say')
    .addHelpText('after', '\nExamples:\n  mabs disk map web01.vhdx\n  mabs disk map --json web01.avhdx')
    .action(async (image: string, options: { parent?: string }) => {
      app.render(await map(await app.diskFormats(), image, options), mapView);
    });
}

function mapView(extents: readonly MappedExtent[]): string {
  const lines = extents.map(({ offset, length, kind, file, position }) => {
    const where = file === undefined ? '' : `${file} at ${position}`;
    return `${String(offset).padStart(16)} ${String(length).padStart(16)}  ${kind.padEnd(4)}  ${where}`.trimEnd();
  });
  return [`${'offset'.padStart(16)} ${'length'.padStart(16)}  kind  where`, ...lines].join('\n');
}
