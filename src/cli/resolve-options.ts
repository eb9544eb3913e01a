import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolveSetting, type SettingName, type SettingValues } from '../core/settings.ts';
import { parseDuration } from '../lib/durations.ts';
import type { GlobalOptions } from './global-options.ts';

export type ProgressMode = 'auto' | 'json' | 'none';

/** The global options with every value settled: by flag, environment, the home's settings, or default. */
export interface ResolvedOptions extends Omit<GlobalOptions, 'progress' | 'wait'> {
  readonly progress: ProgressMode;
  readonly waitMs: number;
  readonly logLevel: string;
  /** What flags said, as typed. */
  readonly typed: { readonly [Name in SettingName]?: string | undefined };
}

/** Settles them. `readFile` false: the file is what the command is there to judge. */
export async function resolveOptions(
  options: GlobalOptions,
  homePath: string,
  environment: Readonly<Record<string, string | undefined>>,
  { readFile = true } = {},
): Promise<ResolvedOptions> {
  const file = readFile ? await settingsOf(homePath) : undefined;
  const typed = { progress: options.progress, wait: options.wait, logLevel: options.verbose ? 'debug' : undefined };
  const value = (name: keyof typeof typed) => resolveSetting(name, { flag: typed[name], environment, file }).value;
  return {
    ...options,
    progress: value('progress') as ProgressMode,
    waitMs: parseDuration(value('wait')),
    logLevel: value('logLevel'),
    typed,
  };
}

/** Most commands without a home have no settings: then nothing is loaded to read them. */
async function settingsOf(homePath: string): Promise<SettingValues | undefined> {
  if (!existsSync(join(homePath, 'settings.json'))) return undefined;
  const { readHomeFile } = await import('../core/home-files.ts');
  return readHomeFile(homePath, 'settings.json');
}
