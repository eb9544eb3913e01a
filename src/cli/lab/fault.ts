import { Command } from 'commander';
import { changeLabFaults } from '../../core/lab-fault.ts';
import type { App } from '../app.ts';

interface FaultOptions {
  readonly on?: string;
  readonly off?: string;
}

export function labFaultCommand(app: App, change = changeLabFaults): Command {
  return new Command('fault')
    .summary('Switch faults of a simulated VM on and off.')
    .argument('<vm>', 'HOST/NAME, HOST/{GUID}, or the folder of a simulated VM')
    .option('--on <faults>', 'switch these on, with commas between them')
    .option('--off <faults>', 'switch these off; all: every one')
    .option('--list', 'only tell which are on, as without --on and --off')
    .addHelpText('after', HELP)
    .action(async (vm: string, { on, off }: FaultOptions) => {
      const report = await change(app, vm, { on: split(on), off: split(off) });
      app.render(
        report,
        ({ vm: name, faults }) => `${name}: ${faults.length > 0 ? `faults on: ${faults.join(', ')}` : 'no faults are on'}`,
      );
    });
}

const HELP = `
Faults:
  capture-fails    a capture fails after it has begun
  merge-fails      the differencing disks of a capture cannot be merged
  tracking-lost    no disk has change tracking
  tracking-lies    change tracking leaves out every second changed range, the first among them
  disk-read-error  the first disk cannot be read to its end while it is captured
  host-gone[=N]    the host answers N calls about the VM (1 when absent) and none after that
  vss-fails        the guest's VSS (fsfreeze on Linux) answers with an error

Examples:
  mabs lab fault hv1/win-files --on merge-fails,tracking-lost
  mabs lab fault hv1/win-files --off all`;

function split(list: string | undefined): string[] {
  return list?.split(',').filter((name) => name !== '') ?? [];
}
