import { Command } from 'commander';
import { vmLabel } from '../core/groups.ts';
import { applyProtect, type ProtectPlan, type ProtectRequest, planProtect } from '../core/protect.ts';
import type { App, Style } from './app.ts';
import { FLAG_OF, type PolicyOptions, parsePolicy, withPolicy, writeSetting } from './policy-options.ts';
import { UsageError } from './usage-error.ts';

interface ProtectOptions extends PolicyOptions {
  readonly group?: string;
  readonly member?: readonly string[];
  readonly pool?: string;
  readonly dryRun?: boolean;
}

export function protectCommand(app: App, plan = planProtect, apply = applyProtect): Command {
  const command = new Command('protect')
    .summary('Put VMs into a protection group.')
    .option('--group <name>', 'the protection group; made where there is none of that name')
    .option('--member <vm...>', 'virtual machines as HOST/NAME')
    .option('--pool <name>', 'where replicas and points are kept; needed only when there are several pools')
    .option('--dry-run', 'show what would be recorded');
  return withPolicy(command)
    .addHelpText(
      'after',
      '\nExamples:\n  mabs protect --group servers --member hv1/web01 hv1/db01 --retention 30d --checkpoint 12:00 20:00',
    )
    .action(async (options: ProtectOptions) => {
      const request = await requestOf(app, options);
      const ports = await app.ports();
      const planned = await plan(ports, request);
      const asks = !planned.isNew && (planned.added.length > 0 || planned.changed.length > 0);
      if (asks && !options.dryRun && !app.yes) for (const line of differenceLines(planned)) app.note(line);
      const agreed = options.dryRun || !asks || (await app.confirm(`Change the group ${planned.group.name}?`));
      if (!options.dryRun && agreed) await apply(ports, planned);
      app.render(resultOf(planned, options.dryRun === true, agreed), protectView);
    });
}

async function requestOf(app: App, options: ProtectOptions): Promise<ProtectRequest> {
  const policy = parsePolicy(options);
  const { group, member = [], pool } = options;
  const changesPolicy = Object.keys(policy).length > 0;
  if (group === undefined || (member.length === 0 && !changesPolicy)) {
    if (app.interactive) {
      const { protectWizard } = await import('./protect-wizard.ts');
      return protectWizard(app, {
        ...(group === undefined ? {} : { group }),
        members: member,
        policy,
        ...(pool === undefined ? {} : { pool }),
      });
    }
    const needsPool = pool === undefined && (await hasSeveralPools(app));
    const missing = [
      ...(group === undefined ? ['--group'] : []),
      ...(member.length === 0 ? ['--member'] : []),
      ...(group === undefined && needsPool ? ['--pool'] : []),
    ];
    throw new UsageError(`mabs protect needs ${missing.join(', ')}`, 'Run mabs protect --help for what they mean and for examples.');
  }
  return { group, members: member, policy, ...(pool === undefined ? {} : { pool }) };
}

/** A home that cannot be opened is not what is wrong with the command line. */
async function hasSeveralPools(app: App): Promise<boolean> {
  const pools = await app
    .ports()
    .then(({ home }) => home.listPools())
    .catch(() => []);
  return pools.length > 1;
}

function resultOf(plan: ProtectPlan, dryRun: boolean, agreed: boolean) {
  const { group, isNew, poolName, added, changed } = plan;
  return {
    status: dryRun ? ('planned' as const) : agreed ? ('ok' as const) : ('cancelled' as const),
    group: group.name,
    isNew,
    pool: poolName,
    members: group.members.map(vmLabel),
    added,
    changed,
    policy: group.policy,
  };
}

function differenceLines({ added, changed }: Pick<ProtectPlan, 'added' | 'changed'>): string[] {
  const lines = [
    ...added.map((vm) => `  + ${vm}`),
    ...changed.map(({ setting, from, to }) => `  ~ ${FLAG_OF[setting]}: ${writeSetting(setting, from)} → ${writeSetting(setting, to)}`),
  ];
  return lines.length > 0 ? lines : ['  nothing changes'];
}

function protectView(result: ReturnType<typeof resultOf>, style: Style): string {
  if (result.status === 'cancelled') return 'Nothing was changed.';
  const verb = result.status === 'planned' ? 'Would protect' : 'Protected';
  const head = `${verb} in the group ${style.bold(result.group)} (pool ${result.pool}):`;
  if (!result.isNew) return [head, ...differenceLines(result)].join('\n');
  const next = `Make the initial replica and the first recovery point: mabs checkpoint --group ${result.group}`;
  return [head, ...result.members.map((vm) => `  + ${vm}`), ...(result.status === 'ok' ? [next] : [])].join('\n');
}
