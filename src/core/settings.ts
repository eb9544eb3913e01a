import { parseDuration } from '../lib/durations.ts';
import { UnreadableValueError } from '../lib/unreadable-value.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting: where else its value may come from, and what it is when nobody says. */
export interface Setting {
  readonly name: string;
  readonly flag?: string;
  readonly variable: string;
  readonly preset: string;
  /** Throws MABS-VALUE-UNREADABLE for what it cannot be. */
  readonly check: (value: string) => void;
}

const oneOf =
  (what: string, ...values: string[]) =>
  (value: string) => {
    if (!values.includes(value)) throw new UnreadableValueError(what, value, values.join(' or '));
  };

export const SETTINGS = [
  {
    name: 'progress',
    flag: '--progress',
    variable: 'MABS_PROGRESS',
    preset: 'auto',
    check: oneOf('a kind of progress', 'auto', 'json', 'none'),
  },
  { name: 'wait', flag: '--wait', variable: 'MABS_WAIT', preset: '0', check: (value) => void parseDuration(value) },
  {
    name: 'logLevel',
    flag: '--verbose',
    variable: 'MABS_LOG_LEVEL',
    preset: 'info',
    check: oneOf('a log level', 'trace', 'debug', 'info', 'warn', 'error', 'silent'),
  },
  { name: 'trash', flag: '--trash', variable: 'MABS_TRASH', preset: '14d', check: (value) => void parseDuration(value) },
] as const satisfies readonly Setting[];

export type SettingName = (typeof SETTINGS)[number]['name'];

/** What settings.json may say: values as they would be typed. */
export type SettingValues = { readonly [Name in SettingName]?: string };

/** A value and where it came from: a flag, a variable of the environment, the file settings.json, or nowhere. */
export interface ResolvedSetting {
  readonly name: string;
  readonly value: string;
  readonly source: 'flag' | 'environment' | 'file' | 'default';
  /** The flag, the variable or the file. */
  readonly from?: string;
}

/** The value of a setting: flag before environment before file before default. MABS-VALUE-UNREADABLE for what it cannot be. */
export function resolveSetting(
  name: SettingName,
  {
    flag,
    environment,
    file,
  }: { readonly flag?: string | undefined; readonly environment: Environment; readonly file?: SettingValues | undefined },
): ResolvedSetting {
  const setting = settingNamed(name);
  const resolved = firstGiven(setting, flag, environment[setting.variable], file?.[name]);
  setting.check(resolved.value);
  return resolved;
}

/** Where a setting may come from. */
export function settingNamed(name: SettingName): Setting {
  return SETTINGS.find((setting) => setting.name === name)!;
}

function firstGiven(setting: Setting, flag: string | undefined, variable: string | undefined, file: string | undefined): ResolvedSetting {
  const { name } = setting;
  if (flag !== undefined) return { name, value: flag, source: 'flag', ...(setting.flag !== undefined && { from: setting.flag }) };
  if (variable) return { name, value: variable, source: 'environment', from: setting.variable };
  if (file !== undefined) return { name, value: file, source: 'file', from: 'settings.json' };
  return { name, value: setting.preset, source: 'default' };
}
