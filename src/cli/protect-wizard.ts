import { findGroup, listGroups } from '../core/groups.ts';
import { listLiveVms } from '../core/inventory.ts';
import type { Ports } from '../core/ports.ts';
import type { ProtectRequest } from '../core/protect.ts';
import { defaultPolicy, type Policy } from '../model/group.ts';
import type { App } from './app.ts';
import { FLAG_OF, parsePolicy, writeSetting } from './policy-options.ts';
import { quotedWord } from './quoted-word.ts';
import { typedName } from './typed-name.ts';
import { UsageError } from './usage-error.ts';

/** What the command line already said. */
interface Given {
  readonly group?: string;
  readonly members: readonly string[];
  readonly pool?: string;
  readonly policy: Partial<Policy>;
}

/** Asks for the basics of a group, shows them, and lets any of them be changed before it goes on; tells the command line at the end. */
export async function protectWizard(app: App, given: Given): Promise<ProtectRequest> {
  const ports = await app.ports();
  let request: ProtectRequest = {
    group: given.group ?? (await askGroup(app, ports)),
    members: given.members.length > 0 ? given.members : await askMembers(app, ports),
    policy: given.policy,
    ...(given.pool === undefined ? {} : { pool: given.pool }),
  };
  if (!(await findGroup(ports, request.group))) {
    request = await withPool(app, ports, request, given.pool);
    request = { ...request, policy: { ...(await askPolicy(app, { ...defaultPolicy, ...given.policy })), ...given.policy } };
  }
  for (;;) {
    // A group that exists keeps what is not changed here.
    const usual = (await findGroup(ports, request.group))?.group.policy ?? defaultPolicy;
    for (const line of summaryOf(request, usual)) app.note(line);
    const step = await app.choose('Is this right?', [
      { name: 'Yes, protect', value: 'done' as const },
      { name: 'Change the name of the group', value: 'group' as const },
      { name: 'Change the virtual machines', value: 'members' as const },
      { name: 'Change retention, synchronisation and times', value: 'policy' as const },
      { name: 'Cancel', value: 'cancel' as const },
    ]);
    if (step === 'done') break;
    if (step === 'cancel') throw new UsageError('nothing was recorded', 'Run mabs protect again when you are ready.');
    if (step === 'group') request = await withPool(app, ports, { ...request, group: await askGroup(app, ports) }, given.pool);
    if (step === 'members') request = { ...request, members: await askMembers(app, ports) };
    if (step === 'policy')
      request = { ...request, policy: { ...request.policy, ...(await askPolicy(app, { ...usual, ...request.policy })) } };
  }
  app.note(`The same without questions: ${commandLineOf(request)}`);
  return request;
}

/** The one command line that records the same. */
export function commandLineOf({ group, members, pool, policy }: ProtectRequest): string {
  const settings = (Object.keys(policy) as (keyof Policy)[]).flatMap((setting) => {
    const value = policy[setting];
    if (setting === 'coLocate') return [value ? '--co-locate' : '--no-co-locate'];
    return [FLAG_OF[setting], writeSetting(setting, value)];
  });
  const words = ['protect', '--group', group, ...members.flatMap((vm) => ['--member', vm]), ...(pool ? ['--pool', pool] : []), ...settings];
  return `mabs ${words.map((word) => quotedWord(word)).join(' ')}`;
}

function askGroup(app: App, ports: Ports): Promise<string> {
  return listGroups(ports).then((groups) => {
    const names = groups.map(({ group }) => group.name);
    const known = names.length > 0 ? ` (there are: ${names.join(', ')})` : '';
    return app.ask({
      message: `Name of the protection group${known}`,
      default: names[0] ?? 'servers',
      check: (answer) => (answer.trim() === '' ? 'A group needs a name.' : undefined),
    });
  });
}

async function askMembers(app: App, ports: Ports): Promise<string[]> {
  const vms = await listLiveVms(ports);
  if (vms.length === 0)
    throw new UsageError('no host of this home has a virtual machine', 'Add one first: mabs host add NAME --type lab --path DIR');
  const named = vms.map(({ host, vm }) => ({ host, ...vm }));
  for (;;) {
    const choices = vms.map(({ host, vm }) => ({
      name: `${host}/${vm.name}`,
      value: typedName({ host, ...vm }, named),
      hint: `${vm.state}, ${vm.consistency}`,
    }));
    const chosen = await app.chooseMany('Which virtual machines?', choices);
    if (chosen.length > 0) return chosen;
    app.note('Choose at least one (space marks it).');
  }
}

/** The pool that was given; for a new group where there are several, one of them. A group that exists has its own. */
async function withPool(app: App, ports: Ports, { pool, ...request }: ProtectRequest, given: string | undefined): Promise<ProtectRequest> {
  if (given !== undefined) return { ...request, pool: given };
  const pools = await ports.home.listPools();
  if (pools.length < 2 || (await findGroup(ports, request.group))) return request;
  if (pool !== undefined) return { ...request, pool };
  const choices = pools.map(({ name, path }) => ({ name, value: name, hint: path }));
  return { ...request, pool: await app.choose('In which pool?', choices) };
}

async function askPolicy(app: App, before: Policy): Promise<Partial<Policy>> {
  const ask = (message: string, setting: keyof Policy, parse: (text: string) => Partial<Policy>) =>
    app
      .ask({
        message,
        default: writeSetting(setting, before[setting]),
        check: (answer) => {
          parse(answer);
          return undefined;
        },
      })
      .then(parse);
  return {
    ...(await ask('How long are points kept?', 'retentionMs', (retention) => parsePolicy({ retention }))),
    ...(await ask('How often is it synchronised? (15m to 24h, or before-checkpoint)', 'sync', (sync) => parsePolicy({ sync }))),
    ...(await ask('When are recovery points made? (HH:MM,…)', 'checkpointTimes', (times) => parsePolicy({ checkpoint: [times] }))),
    ...(await ask('On which days?', 'checkpointDays', (days) => parsePolicy({ on: [days] }))),
  };
}

function summaryOf({ group, members, pool, policy }: ProtectRequest, usual: Policy): string[] {
  const settings = { ...usual, ...policy };
  const lines = (Object.keys(settings) as (keyof Policy)[]).map(
    (setting) => `  ${FLAG_OF[setting].slice(2).padEnd(16)} ${writeSetting(setting, settings[setting])}`,
  );
  return [`Group ${group}${pool ? ` in the pool ${pool}` : ''}`, `  members          ${members.join(', ')}`, ...lines];
}
