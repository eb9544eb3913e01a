import { z } from 'zod';

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);
export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** What an administrator decides about a protection group. Durations are milliseconds. */
export const policySchema = z.object({
  retentionMs: z.number().int().positive(),
  sync: z.union([z.literal('before-checkpoint'), z.number().int().positive()]),
  checkpointTimes: z.array(time),
  checkpointDays: z.array(z.enum(weekdays)),
  consistency: z.enum(['require-application', 'prefer-application', 'crash']),
  whenNotOnline: z.enum(['pause', 'save', 'crash', 'fail']),
  replica: z.union([z.literal('now'), z.literal('manual'), z.object({ at: time })]),
  check: z.union([z.literal('auto'), z.literal('manual'), z.object({ schedule: time })]),
  coLocate: z.boolean(),
  leaveOut: z.array(z.enum(['pagefile', 'free'])),
});

export const groupSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  name: z.string(),
  pool: z.string(),
  policy: policySchema,
  members: z.array(z.object({ host: z.string(), vmId: z.string(), vmName: z.string(), datasource: z.string() })),
  createdAt: z.string(),
  /** A removed group leaves its record, so that a rebuilt catalog does not bring it back. */
  removed: z.boolean().optional(),
});

export type Policy = z.infer<typeof policySchema>;
export type ProtectionGroup = z.infer<typeof groupSchema>;
export type GroupMember = ProtectionGroup['members'][number];

export const defaultPolicy: Policy = {
  retentionMs: 10 * 86_400_000,
  sync: 'before-checkpoint',
  checkpointTimes: ['20:00'],
  checkpointDays: [...weekdays],
  consistency: 'prefer-application',
  whenNotOnline: 'pause',
  replica: 'now',
  check: 'auto',
  coLocate: false,
  leaveOut: ['pagefile'],
};
