import { Command } from 'commander';
import { checkConsistency } from '../core/check-consistency.ts';
import type { App } from './app.ts';
import { type MemberOptions, selectionOf, withMembers } from './member-options.ts';
import { renderMembers } from './members-view.ts';

export function consistencyCheckCommand(app: App, run = checkConsistency): Command {
  return withMembers(new Command('consistency-check'))
    .summary('Compare with the source, transfer only what differs.')
    .addHelpText('after', '\nExamples:\n  mabs consistency-check hv1/web01\n  mabs consistency-check --all')
    .action(async (vms: string[], options: MemberOptions) => {
      const ports = await app.ports();
      const selection = await selectionOf(app, ports, ['consistency-check'], vms, options);
      const outcome = await app.withProgress('Comparing with the source', (onProgress) =>
        run(ports, { ...selection, signal: app.signal, onProgress }),
      );
      renderMembers(app, outcome);
    });
}
