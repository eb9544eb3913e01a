import { Command } from 'commander';
import { failureOf } from '../../core/job.ts';
import { type ListedVm, listVms } from '../../core/list-vms.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

/** `mabs vm list`. */
export function vmListCommand(app: App, run = listVms): Command {
  return new Command('list')
    .description('List the VMs of the hosts, as they are now.')
    .option('--host <name>', 'only the VMs of this host')
    .addHelpText('after', examples('mabs vm list', 'mabs vm list --host hv1 --json'))
    .action(async ({ host }: { host?: string }) => {
      const { vms, unreachable } = await run(await app.ports(), host);
      for (const { host: name, error } of unreachable) app.note(`Host ${name} cannot be asked: ${failureOf(error).message}`);
      app.render(vms, vmsView);
    });
}

function vmsView(vms: readonly ListedVm[], style: Style): string {
  if (vms.length === 0) return 'No VMs: add a host with mabs host add';
  return table(
    ['VM', 'STATE', 'OS', 'DISKS', 'SIZE', 'CONSISTENCY', 'GROUP'],
    vms.map((vm) => [
      `${vm.host}/${vm.name}`,
      vm.state,
      vm.os,
      String(vm.disks.length),
      formatSize(vm.disks.reduce((sum, { virtualSize }) => sum + virtualSize, 0)),
      vm.consistency,
      vm.protectedBy ?? style.dim('–'),
    ]),
    [3, 4],
  );
}
