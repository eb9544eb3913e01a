import { describe, expect, it } from '@jest/globals';
import { type CaptureWish, planCapture } from '../../../src/hosts/lab/consistency.ts';
import type { Faults } from '../../../src/hosts/lab/faults.ts';
import { checkReplication } from '../../../src/hosts/lab/replication.ts';
import { vmDefinitionSchema } from '../../../src/hosts/lab/vm-definition.ts';

const VSS = { version: '10.0', vss: true };

function aVm(definition: object) {
  return {
    ...vmDefinitionSchema.parse({ id: 'vm', disks: [], state: 'running', os: 'windows', integrationServices: VSS, ...definition }),
    name: 'vm',
  };
}

const plan = (definition: object, wish: Partial<CaptureWish> = {}, faults: Faults = new Map()) =>
  planCapture(aVm(definition), faults, { consistency: 'prefer-application', whenNotOnline: 'pause', ...wish });

const vssFails: Faults = new Map([['vss-fails', undefined]]);
const NOT_ONLINE = [{ integrationServices: undefined }, { integrationServices: { version: '', vss: false } }, { os: 'other' }];

describe('what a capture guarantees', () => {
  it.each([
    { vm: 'running Windows with VSS', definition: {}, way: 'online', consistency: 'application' },
    { vm: 'running Linux with VSS', definition: { os: 'linux' }, way: 'online', consistency: 'file' },
    { vm: 'off', definition: { state: 'off' }, way: 'as-it-lies', consistency: 'offline' },
    { vm: 'off since it crashed', definition: { state: 'off', crashed: true }, way: 'as-it-lies', consistency: 'crash' },
    { vm: 'saved', definition: { state: 'saved' }, way: 'as-it-lies', consistency: 'crash' },
    { vm: 'paused', definition: { state: 'paused' }, way: 'online', consistency: 'crash' },
    {
      vm: 'a replica',
      definition: { state: 'off', replication: { mode: 'REPLICA', state: 'Replicating', health: 'Normal' } },
      way: 'as-it-lies',
      consistency: 'crash',
    },
    {
      vm: 'a primary',
      definition: { replication: { mode: 'Primary', state: 'Replicating', health: 'Normal' } },
      way: 'online',
      consistency: 'application',
    },
  ])('of a VM that is $vm is $consistency', ({ definition, way, consistency }) =>
    expect(plan(definition)).toMatchObject({ way, consistency }),
  );

  it('says why, wherever it is less than application or offline', () => {
    for (const definition of [{ os: 'linux' }, { state: 'saved' }, { state: 'paused' }, ...NOT_ONLINE])
      expect(plan(definition).reason).toMatch(/\w/);
    expect(plan({}).reason).toBeUndefined();
    expect(plan({ state: 'off' }).reason).toBeUndefined();
  });

  it('is crash, without excuses, where no more was asked for', () => {
    expect(plan({}, { consistency: 'crash' })).toEqual({ way: 'online', consistency: 'crash' });
    for (const definition of NOT_ONLINE)
      expect(plan(definition, { consistency: 'crash', whenNotOnline: 'fail' })).toEqual({ way: 'online', consistency: 'crash' });
    expect(plan({ state: 'off' }, { consistency: 'crash' }).consistency).toBe('offline');
  });

  it.each([
    { when: 'pause', way: 'pause' },
    { when: 'save', way: 'save' },
    { when: 'crash', way: 'online' },
  ] as const)('of a guest that cannot do an online backup is crash, the VM is held as the group says: $when', ({ when, way }) => {
    for (const definition of NOT_ONLINE) expect(plan(definition, { whenNotOnline: when })).toMatchObject({ way, consistency: 'crash' });
  });

  it('is nothing where the group says to fail', () => {
    for (const definition of NOT_ONLINE)
      expect(() => plan(definition, { whenNotOnline: 'fail' })).toThrow(expect.objectContaining({ code: 'MABS-VM-NOT-ONLINE' }));
  });

  it('never falls below what the group requires', () => {
    const required = { consistency: 'require-application' } as const;
    expect(plan({}, required).consistency).toBe('application');
    expect(plan({ os: 'linux' }, required).consistency).toBe('file');
    expect(plan({ state: 'off' }, required).consistency).toBe('offline');
    const replica = { state: 'off', replication: { mode: 'Replica' } };
    for (const definition of [...NOT_ONLINE, { state: 'saved' }, { state: 'paused' }, { state: 'off', crashed: true }, replica])
      expect(() => plan(definition, required)).toThrow(expect.objectContaining({ code: 'MABS-CONSISTENCY-NOT-MET' }));
  });

  it('is crash when VSS fails, and nothing where more is required', () => {
    expect(plan({}, {}, vssFails)).toMatchObject({ way: 'online', consistency: 'crash', reason: expect.stringContaining('VSS') });
    expect(plan({ os: 'linux' }, {}, vssFails)).toMatchObject({ way: 'online', consistency: 'crash' });
    expect(() => plan({}, { consistency: 'require-application' }, vssFails)).toThrow(
      expect.objectContaining({ code: 'MABS-CONSISTENCY-NOT-MET' }),
    );
  });
});

describe('Hyper-V Replica', () => {
  const check =
    (mode: string, state: string, health = 'Normal') =>
    () =>
      checkReplication(aVm({ replication: { mode, state, health } }));

  it.each([
    'Resynchronizing',
    'WaitingForInitialReplication',
    'InitialReplicationInProgress',
    'Failover in progress',
    'waiting to start resynchronization',
    'UPDATEERROR',
  ])('forbids the backup of a replica in the state %s', (state) =>
    expect(check('Replica', state)).toThrow(expect.objectContaining({ code: 'MABS-REPLICA-STATE' })),
  );

  it('forbids the backup of a replica whose health is critical', () =>
    expect(check('replica', 'Replicating', 'CRITICAL')).toThrow(/health/));

  it('lets a replica that is at rest be backed up', () => expect(check('Replica', 'Replicating')).not.toThrow());

  it('forbids the backup of a primary during its initial replication only', () => {
    expect(check('Primary', 'InitialReplicationInProgress')).toThrow(expect.objectContaining({ code: 'MABS-REPLICA-STATE' }));
    expect(check('Primary', 'Resynchronizing', 'Critical')).not.toThrow();
  });
});
