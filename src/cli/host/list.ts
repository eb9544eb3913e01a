import { Command } from 'commander';
import type { HostConfiguration } from '../../hosts/host.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

/** `mabs host list`. */
export function hostListCommand(app: App): Command {
  return new Command('list')
    .description('List the hosts that this home knows.')
    .addHelpText('after', examples('mabs host list', 'mabs host list --json'))
    .action(async () => {
      const { home } = await app.ports();
      app.render(await home.listHosts(), hostsView);
    });
}

function hostsView(hosts: HostConfiguration[]): string {
  if (hosts.length === 0) return 'No hosts yet: mabs host add';
  return table(
    ['NAME', 'TYPE', 'WHERE'],
    hosts.map((host) => [host.name, host.type, host.type === 'lab' ? host.path : (host.computer ?? 'this computer')]),
  );
}
