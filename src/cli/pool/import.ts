import { Command } from 'commander';
import { type ImportedPool, importPool } from '../../core/pools.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';

/** `mabs pool import`. */
export function poolImportCommand(app: App, run = importPool): Command {
  return new Command('import')
    .description(
      'Take over a pool that was made elsewhere, or bring back what a lost catalog knew: points, holds and groups come from the pool itself.',
    )
    .requiredOption('--path <dir>', 'folder of the pool')
    .option('--name <name>', 'how the pool is called in this home (the name of its folder)')
    .addHelpText(
      'after',
      examples('mabs pool import --path D:\\pool', 'mabs pool import --path /srv/vault --name vault --passphrase-file /etc/mabs/vault.key'),
    )
    .action(async ({ path, name }: { path: string; name?: string }) => {
      const request = { path, ...(name !== undefined && { name }), ...(app.secretToKeep && { secret: app.secretToKeep }) };
      const ports = await app.adminPorts();
      const imported = await app.withProgress('Importing', () => run(ports, request));
      app.render(imported, importedView);
    });
}

function importedView({ name, rebuilt, points, vms, groups, holds, groupsUnconfirmed }: ImportedPool): string {
  const lines = [
    `${rebuilt ? 'Read pool' : 'Imported pool'} ${name}${rebuilt ? ' again' : ''}: ${points} recovery points of ${vms.length} VMs, ${holds} held`,
  ];
  if (groups.length > 0) lines.push(`Groups: ${groups.join(', ')}`);
  if (groupsUnconfirmed) lines.push('Prune keeps all their points until you confirm them: mabs group confirm --all');
  return lines.join('\n');
}
