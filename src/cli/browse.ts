import { Command } from 'commander';
import { listFiles } from '../core/inside/list-files.ts';
import { openPoint } from '../core/inside/opened-point.ts';
import { parseVolumePath } from '../core/inside/volume-path.ts';
import { getPoint } from '../core/known-points.ts';
import type { App } from './app.ts';
import { browseInteractively } from './browse-interactive.ts';
import { examples } from './examples.ts';
import { printFiles } from './print-files.ts';

export function browseCommand(app: App, list = listFiles, walk = browseInteractively): Command {
  return new Command('browse')
    .summary('Look into a recovery point; on a terminal, pick files and bring them back.')
    .argument('<point>', 'HOST/VM@POINT, the id of a point, either with :/disk0/p2/PATH or :/lv/VG/LV/PATH')
    .option('--recursive', 'list what lies below, too')
    .option('--streams', 'alternate data streams as entries of their own, too')
    .addHelpText(
      'after',
      examples(
        'mabs browse hv1/web01@latest',
        'mabs browse hv1/web01@latest:/disk0/p2/Users --json',
        'mabs browse hv1/web01@2026-11-20T18:00:/lv/rhel/root/etc --recursive',
      ),
    )
    .action(async (text: string, { recursive = false, streams = false }: { recursive?: boolean; streams?: boolean }) => {
      const ports = await app.ports();
      const { point, path = '/' } = await getPoint(ports, text);
      const place = parseVolumePath(path, { machine: true });
      await using machine = openPoint(ports, point);
      if (app.interactive && !recursive && !streams) await walk(app, { machine, point, place });
      else await printFiles(app, machine, list(machine, place, { recursive, streams, signal: app.signal }));
    });
}
