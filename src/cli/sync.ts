import { Command } from 'commander';
import { sync } from '../core/sync.ts';
import type { App } from './app.ts';
import { type MemberOptions, parseVerify, selectionOf, verifyWords, withMembers } from './member-options.ts';
import { renderMembers } from './members-view.ts';

export function syncCommand(app: App, run = sync): Command {
  return withMembers(new Command('sync'))
    .summary('Bring replicas up to date with what changed.')
    .option('--verify <when>', 'read an initial replica back now or later', 'now')
    .addHelpText('after', '\nExamples:\n  mabs sync hv1/web01\n  mabs sync --group servers\n  mabs sync --all --wait 10m')
    .action(async (vms: string[], options: MemberOptions & { verify: string }) => {
      const verify = parseVerify(options.verify);
      const ports = await app.ports();
      const selection = await selectionOf(app, ports, ['sync', ...verifyWords(verify)], vms, options);
      const outcome = await app.withProgress('Synchronising', (onProgress) =>
        run(ports, { ...selection, verify, signal: app.signal, onProgress }),
      );
      renderMembers(app, outcome);
    });
}
