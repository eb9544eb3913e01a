import { Command } from 'commander';
import { getGroup, type KnownGroup } from '../../core/groups.ts';
import type { Policy } from '../../model/group.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { FLAG_OF, writeSetting } from '../policy-options.ts';

export function groupShowCommand(app: App, run = getGroup): Command {
  return new Command('show')
    .summary('Show the policy and the members of a group.')
    .argument('<group>', 'the group')
    .addHelpText('after', examples('mabs group show servers'))
    .action(async (name: string) => {
      app.render(detailsOf(await run(await app.ports(), name)), groupView);
    });
}

function detailsOf({ group, poolName }: KnownGroup) {
  return {
    id: group.id,
    name: group.name,
    pool: poolName,
    createdAt: group.createdAt,
    policy: group.policy,
    members: group.members.map(({ host, vmId, vmName }) => ({ vm: `${host}/${vmName}`, id: vmId })),
  };
}

function groupView({ name, pool, policy, members }: ReturnType<typeof detailsOf>, style: Style): string {
  const settings = (Object.keys(policy) as (keyof Policy)[]).map(
    (setting) => `  ${FLAG_OF[setting].slice(2).padEnd(16)} ${writeSetting(setting, policy[setting])}`,
  );
  return [
    `${style.bold(name)} (pool ${pool})`,
    ...settings,
    'Members:',
    ...(members.length > 0 ? members.map(({ vm, id }) => `  ${vm} {${id}}`) : ['  none']),
  ].join('\n');
}
