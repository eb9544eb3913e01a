import { Command } from 'commander';
import { listGroups, vmLabel } from '../../core/groups.ts';
import { writeDuration } from '../../lib/durations.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { writeSetting } from '../policy-options.ts';
import { table } from '../table.ts';

export function groupListCommand(app: App, run = listGroups): Command {
  return new Command('list')
    .summary('List the protection groups.')
    .addHelpText('after', examples('mabs group list', 'mabs group list --json'))
    .action(async () => {
      const groups = (await run(await app.ports())).map(({ group, poolName }) => ({
        id: group.id,
        name: group.name,
        pool: poolName,
        members: group.members.map(vmLabel),
        retention: writeDuration(group.policy.retentionMs),
        sync: writeSetting('sync', group.policy.sync),
        checkpoints: group.policy.checkpointTimes,
      }));
      app.render(groups, groupsView);
    });
}

interface GroupRow {
  readonly name: string;
  readonly pool: string;
  readonly members: readonly string[];
  readonly retention: string;
  readonly sync: string;
  readonly checkpoints: readonly string[];
}

function groupsView(groups: readonly GroupRow[]): string {
  if (groups.length === 0) return 'There is no protection group yet. Make one with: mabs protect --group NAME --member HOST/VM';
  const rows = groups.map(({ name, pool, members, retention, sync, checkpoints }) => [
    name,
    pool,
    retention,
    sync,
    checkpoints.join(',') || '-',
    members.join(' '),
  ]);
  return table(['GROUP', 'POOL', 'RETENTION', 'SYNC', 'CHECKPOINTS', 'MEMBERS'], rows);
}
