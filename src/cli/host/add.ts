import { Command } from 'commander';
import { addHost } from '../../core/hosts.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

interface Options {
  readonly type: string;
  readonly path?: string;
}

/** `mabs host add`. */
export function hostAddCommand(app: App, run = addHost): Command {
  return new Command('add')
    .description('Add a host where VMs run.')
    .argument('<name>', 'how the host is called from now on: letters, digits, ".", "_" and "-"')
    .requiredOption('--type <type>', 'lab (a simulated host in a folder) or powershell (Hyper-V)')
    .option('--path <dir>', 'folder of a lab host; an empty one is a valid host')
    .option('--computer <fqdn>', 'computer of a powershell host')
    .option('--cluster <name>', 'failover cluster of powershell hosts')
    .option('--auth <method>', 'kerberos, ntlm or certificate')
    .option('--user <name>', 'account on the host')
    .option('--password-file <file>', 'first line is the password')
    .option('--password-command <command>', 'prints the password')
    .addHelpText('after', examples('mabs host add hv1 --type lab --path ./lab'))
    .action(async (name: string, options: Options) => {
      const host = await run(await app.adminPorts(), {
        name,
        type: options.type,
        ...(options.path !== undefined && { path: options.path }),
      });
      app.render(host, (added) => `Added host ${added.name}; see its VMs with mabs vm list --host ${added.name}`);
    });
}
