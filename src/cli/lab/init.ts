import { Command } from 'commander';
import { initLab, type LabInitReport } from '../../core/lab-init.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App, Style } from '../app.ts';
import { oneOf } from '../disk/image-format.ts';

interface InitOptions {
  readonly vms?: string;
  readonly state: string;
}

export function labInitCommand(app: App, init = initLab): Command {
  return new Command('init')
    .summary('Make a simulated host with two VMs.')
    .argument('<dir>', 'the folder of the host; made when it is not there')
    .option('--vms <names>', 'which sample VMs, with commas between them: win-files, linux-web, none; all when absent')
    .option('--state <state>', 'running or off', 'running')
    .addHelpText('after', EXAMPLES)
    .action(async (dir: string, options: InitOptions) => {
      const state = oneOf('--state', options.state, ['running', 'off']);
      const vms = options.vms?.split(',').filter((name) => name !== 'none' && name !== '');
      const kinds = await app.hostKinds();
      const report = await app.withProgress('Making disks', () => init(kinds, dir, { ...(vms && { vms }), state }));
      app.render(report, labInitView);
    });
}

const EXAMPLES = `
The disks are real: VHDX with GPT, NTFS or ext4, and files. Delete the folder to be rid of the host.

Examples:
  mabs lab init ./lab
  mabs host add hv1 --type lab --path ./lab
  mabs lab init ./empty --vms none`;

function labInitView({ path, vms }: LabInitReport, style: Style): string {
  const lines = vms.map(({ name, os, disks }) => {
    const sizes = disks.map(({ virtualSize, format }) => `${formatSize(virtualSize)} ${format}`).join(', ');
    return `  ${style.bold(name)}  ${os}, ${sizes}`;
  });
  return [`A simulated host in ${path}`, ...lines, `Next: mabs host add NAME --type lab --path ${path}`].join('\n');
}
