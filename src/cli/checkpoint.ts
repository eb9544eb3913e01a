import { Command } from 'commander';
import { checkpoint } from '../core/checkpoint.ts';
import type { App } from './app.ts';
import { type MemberOptions, parseVerify, selectionOf, verifyWords, withMembers } from './member-options.ts';
import { renderMembers } from './members-view.ts';

export function checkpointCommand(app: App, run = checkpoint): Command {
  return withMembers(new Command('checkpoint'))
    .summary('Make recovery points.')
    .option('--no-sync', 'freeze the replica as it is; copies nothing')
    .option('--verify <when>', 'read an initial replica back now or later', 'now')
    .addHelpText('after', '\nExamples:\n  mabs checkpoint --all\n  mabs checkpoint hv1/web01 --no-sync')
    .action(async (vms: string[], options: MemberOptions & { verify: string; sync: boolean }) => {
      const verify = parseVerify(options.verify);
      const ports = await app.ports();
      const command = ['checkpoint', ...(options.sync ? [] : ['--no-sync']), ...verifyWords(verify)];
      const selection = await selectionOf(app, ports, command, vms, options);
      const outcome = await app.withProgress('Making recovery points', (onProgress) =>
        run(ports, { ...selection, verify, noSync: !options.sync, signal: app.signal, onProgress }),
      );
      renderMembers(app, outcome);
    });
}
