import type { Command } from 'commander';
import { parseDuration, writeDuration } from '../lib/durations.ts';
import { parseTimeOfDay } from '../lib/times.ts';
import { type Policy, weekdays } from '../model/group.ts';
import { UsageError } from './usage-error.ts';

/** The options of a group's policy as typed. */
export interface PolicyOptions {
  readonly retention?: string;
  readonly sync?: string;
  readonly checkpoint?: readonly string[];
  readonly on?: readonly string[];
  readonly consistency?: string;
  readonly whenNotOnline?: string;
  readonly replica?: string;
  readonly check?: string;
  readonly coLocate?: boolean;
  readonly leaveOut?: readonly string[];
}

const SYNC_MIN_MS = 15 * 60_000;
const SYNC_MAX_MS = 24 * 3_600_000;
const DAY_MS = 86_400_000;

export function withPolicy(command: Command): Command {
  return command
    .option('--retention <duration>', 'how long points are kept (10d)')
    .option('--sync <interval>', '15m to 24h, or before-checkpoint (before-checkpoint)')
    .option('--checkpoint <times...>', 'local times of recovery points (20:00)')
    .option('--on <days...>', 'days of recovery points: Mon,Tue,… (all)')
    .option('--consistency <policy>', 'require-application, prefer-application or crash (prefer-application)')
    .option('--when-not-online <action>', 'a guest that cannot do online backup: pause, save, crash or fail (pause)')
    .option('--replica <when>', 'the initial replica: now, at:HH:MM or manual (now)')
    .option('--check <when>', 'consistency checks: auto, schedule:HH:MM or manual (auto)')
    .option('--co-locate', 'keep the data of members close together')
    .option('--no-co-locate', 'let it lie where there is room')
    .option('--leave-out <what...>', 'pagefile, free or none (pagefile)');
}

/** The settings that were named, and no others. */
export function parsePolicy(options: PolicyOptions): Partial<Policy> {
  const policy: Partial<Policy> = {};
  if (options.retention !== undefined) policy.retentionMs = parseRetention(options.retention);
  if (options.sync !== undefined) policy.sync = parseSync(options.sync);
  if (options.checkpoint !== undefined) policy.checkpointTimes = list(options.checkpoint).map(timeOfDay).sort();
  if (options.on !== undefined) policy.checkpointDays = parseDays(options.on);
  if (options.consistency !== undefined) {
    policy.consistency = oneOf('--consistency', options.consistency, ['require-application', 'prefer-application', 'crash']);
  }
  if (options.whenNotOnline !== undefined) {
    policy.whenNotOnline = oneOf('--when-not-online', options.whenNotOnline, ['pause', 'save', 'crash', 'fail']);
  }
  if (options.replica !== undefined) policy.replica = parseReplica(options.replica);
  if (options.check !== undefined) policy.check = parseCheck(options.check);
  if (options.coLocate !== undefined) policy.coLocate = options.coLocate;
  if (options.leaveOut !== undefined) policy.leaveOut = parseLeaveOut(options.leaveOut);
  return policy;
}

/** A setting for people, as its flag takes it. */
export function writeSetting(setting: keyof Policy, value: unknown): string {
  if (setting === 'retentionMs') return writeDuration(value as number);
  if (setting === 'sync') return typeof value === 'number' ? writeDuration(value) : String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  if (typeof value === 'object' && value !== null) return Object.entries(value).flat().join(':');
  return String(value);
}

/** The flag of a setting. */
export const FLAG_OF: Readonly<Record<keyof Policy, string>> = {
  retentionMs: '--retention',
  sync: '--sync',
  checkpointTimes: '--checkpoint',
  checkpointDays: '--on',
  consistency: '--consistency',
  whenNotOnline: '--when-not-online',
  replica: '--replica',
  check: '--check',
  coLocate: '--co-locate',
  leaveOut: '--leave-out',
};

export function oneOf<const T extends string>(flag: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw new UsageError(`${flag} is none of its values: "${text}"`, `Use one of ${values.join(', ')}.`);
  return found;
}

function parseRetention(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds < DAY_MS) throw new UsageError(`--retention is at least one day, not ${text}`, 'Write it like 10d or 6w.');
  return milliseconds;
}

function parseSync(text: string): Policy['sync'] {
  if (text === 'before-checkpoint') return text;
  const milliseconds = parseDuration(text);
  if (milliseconds < SYNC_MIN_MS || milliseconds > SYNC_MAX_MS) {
    throw new UsageError(`--sync is 15m to 24h or before-checkpoint, not ${text}`, 'Write it like 15m, 1h or before-checkpoint.');
  }
  return milliseconds;
}

function parseDays(texts: readonly string[]): Policy['checkpointDays'] {
  const days = list(texts).map((text) => {
    const day = weekdays.find((candidate) => candidate.toLowerCase() === text.slice(0, 3).toLowerCase());
    if (!day) throw new UsageError(`--on: "${text}" is no day of the week`, `Use ${weekdays.join(',')}.`);
    return day;
  });
  return weekdays.filter((day) => days.includes(day));
}

function parseReplica(text: string): Policy['replica'] {
  if (text === 'now' || text === 'manual') return text;
  if (text.startsWith('at:')) return { at: timeOfDay(text.slice(3)) };
  throw new UsageError(`--replica is now, at:HH:MM or manual, not "${text}"`, 'Write it like at:22:00.');
}

function parseCheck(text: string): Policy['check'] {
  if (text === 'auto' || text === 'manual') return text;
  if (text.startsWith('schedule:')) return { schedule: timeOfDay(text.slice(9)) };
  throw new UsageError(`--check is auto, schedule:HH:MM or manual, not "${text}"`, 'Write it like schedule:03:00.');
}

function parseLeaveOut(texts: readonly string[]): Policy['leaveOut'] {
  const words = list(texts);
  if (words.includes('none')) {
    if (words.length > 1) throw new UsageError('--leave-out none stands alone', 'Use none, or any of pagefile,free.');
    return [];
  }
  const chosen = words.map((word) => oneOf('--leave-out', word, ['pagefile', 'free']));
  return (['pagefile', 'free'] as const).filter((what) => chosen.includes(what));
}

function timeOfDay(text: string): string {
  const { hours, minutes } = parseTimeOfDay(text);
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

/** Words separated by commas or given one by one. */
function list(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
