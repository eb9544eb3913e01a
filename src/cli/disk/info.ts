import { Command } from 'commander';
import { type DiskInfo, describeDisk } from '../../core/disk-info.ts';
import type { DiskVolume } from '../../core/inside/disk-volumes.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App, Style } from '../app.ts';

export function diskInfoCommand(app: App, describe = describeDisk): Command {
  return new Command('info')
    .summary('Describe a VHDX, AVHDX, VHD or raw image.')
    .argument('<image>', 'the image')
    .option('--parent <file>', 'parent of a differencing image, instead of what its locators say')
    .addHelpText('after', '\nExamples:\n  mabs disk info web01.vhdx\n  mabs disk info --json web01.avhdx --parent /restored/web01.vhdx')
    .action(async (image: string, options: { parent?: string }) => {
      app.render(await describe(await app.diskFormats(), image, options), infoView);
    });
}

function infoView(info: DiskInfo, style: Style): string {
  const rows: [string, string][] = [
    ['Format', `${info.format}, ${info.subformat}`],
    ['Virtual size', `${formatSize(info.virtualSize)} (${info.virtualSize} bytes)`],
    ['Sectors', `${info.logicalSectorSize} bytes logical, ${info.physicalSectorSize} physical`],
  ];
  if (info.blockSize > 0) rows.push(['Block size', formatSize(info.blockSize)]);
  if (info.diskId !== undefined) rows.push(['Disk id', info.diskId]);
  if (info.parent) rows.push(['Parent', `${info.parent.path} (${parentStatus(info.parent.status, style)})`]);
  if (info.dirtyLog) rows.push(['Log', 'not empty: read as if replayed']);
  const unread = info.parent && info.parent.status !== 'found';
  rows.push(['Partitions', unread ? 'unknown without the parent' : info.partitionTable]);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => `${style.bold(name.padEnd(width))}${value}`);
  return [...lines, ...info.partitions.map(partitionLine)].join('\n');
}

function parentStatus(status: 'found' | 'missing' | 'wrong', style: Style): string {
  return status === 'found' ? style.good(status) : style.bad(status === 'wrong' ? 'found, but it is another disk' : status);
}

function partitionLine({ index, start, size, type, fileSystem, label }: DiskVolume): string {
  const what = [fileSystem ?? '-', label === undefined ? '' : `"${label}"`, type].filter(Boolean).join('  ');
  return `  p${String(index).padEnd(4)}${formatSize(size).padStart(10)} at ${formatSize(start).padEnd(10)}  ${what}`;
}
