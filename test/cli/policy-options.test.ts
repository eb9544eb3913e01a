import { describe, expect, it } from '@jest/globals';
import { FLAG_OF, parsePolicy, writeSetting } from '../../src/cli/policy-options.ts';
import { defaultPolicy, type Policy } from '../../src/model/group.ts';

describe('the options of a policy', () => {
  it.each([
    { options: {}, policy: {} },
    { options: { retention: '6w' }, policy: { retentionMs: 42 * 86_400_000 } },
    { options: { sync: '15m' }, policy: { sync: 900_000 } },
    { options: { sync: 'before-checkpoint' }, policy: { sync: 'before-checkpoint' } },
    { options: { checkpoint: ['18:00', '06:00,12:00'] }, policy: { checkpointTimes: ['06:00', '12:00', '18:00'] } },
    { options: { on: ['fri,Mon', 'Wednesday'] }, policy: { checkpointDays: ['Mon', 'Wed', 'Fri'] } },
    { options: { replica: 'at:22:00', check: 'schedule:03:00' }, policy: { replica: { at: '22:00' }, check: { schedule: '03:00' } } },
    { options: { leaveOut: ['free,pagefile'] }, policy: { leaveOut: ['pagefile', 'free'] } },
    { options: { leaveOut: ['none'] }, policy: { leaveOut: [] } },
    {
      options: { coLocate: true, whenNotOnline: 'save', consistency: 'crash' },
      policy: { coLocate: true, whenNotOnline: 'save', consistency: 'crash' },
    },
  ])('read $options', ({ options, policy }) => expect(parsePolicy(options)).toEqual(policy));

  it.each([
    { retention: '12h' },
    { retention: 'long' },
    { sync: '14m' },
    { sync: '25h' },
    { checkpoint: ['25:00'] },
    { on: ['Funday'] },
    { consistency: 'maybe' },
    { whenNotOnline: 'wait' },
    { replica: 'at:noon' },
    { replica: 'soon' },
    { check: 'schedule:' },
    { leaveOut: ['none', 'free'] },
    { leaveOut: ['swap'] },
  ])('refuse %j as wrong usage', (options) => expect(() => parsePolicy(options)).toThrow(expect.objectContaining({ kind: 'usage' })));

  it('are written as they are read', () => {
    const policy: Policy = { ...defaultPolicy, sync: 900_000, replica: { at: '22:00' }, check: { schedule: '03:00' }, leaveOut: [] };
    const typed = (setting: keyof Policy) => writeSetting(setting, policy[setting]);
    expect(
      parsePolicy({
        retention: typed('retentionMs'),
        sync: typed('sync'),
        checkpoint: [typed('checkpointTimes')],
        on: [typed('checkpointDays')],
        consistency: typed('consistency'),
        whenNotOnline: typed('whenNotOnline'),
        replica: typed('replica'),
        check: typed('check'),
        leaveOut: [typed('leaveOut')],
        coLocate: false,
      }),
    ).toEqual(policy);
    expect(Object.keys(FLAG_OF).sort()).toEqual(Object.keys(policy).sort());
  });
});
