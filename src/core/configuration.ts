import { stat } from 'node:fs/promises';
import { MabsError } from '../lib/errors.ts';
import { HOME_FILES, type HomeFileName, readHomeFile } from './home-files.ts';
import { type ResolvedSetting, resolveSetting, SETTINGS, type SettingName } from './settings.ts';

/** What a process was told about its settings. */
export interface ConfigurationSources {
  readonly homePath: string;
  readonly homeFrom: Pick<ResolvedSetting, 'source' | 'from'>;
  readonly flags: { readonly [Name in SettingName]?: string | undefined };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Every setting with its value and where that comes from; the home first. */
export async function showConfiguration({ homePath, homeFrom, flags, environment }: ConfigurationSources): Promise<ResolvedSetting[]> {
  const file = await readHomeFile(homePath, 'settings.json');
  const settings = SETTINGS.map(({ name }) => resolveSetting(name, { flag: flags[name], environment, file }));
  return [{ name: 'home', value: homePath, ...homeFrom }, ...settings];
}

export interface CheckedFile {
  readonly file: string;
  readonly status: 'ok' | 'missing' | 'invalid' | 'newer';
  readonly problem?: string;
}

export interface ValidatedConfiguration {
  readonly home: string;
  readonly status: 'ok' | 'problems';
  readonly files: readonly CheckedFile[];
  /** Things that the files name and that are not there now. */
  readonly absent: readonly { readonly what: string; readonly path: string }[];
}

/** Reads every file of a home and looks whether what they name is there. Throws only where there is no home at all. */
export async function validateConfiguration(homePath: string): Promise<ValidatedConfiguration> {
  const files: CheckedFile[] = [];
  for (const file of Object.keys(HOME_FILES) as HomeFileName[]) files.push(await checkFile(homePath, file));
  const absent = [...(await absentHosts(homePath)), ...(await absentPools(homePath))];
  const sound = files.every(({ file, status }) => status === 'ok' || (status === 'missing' && file !== 'home.json'));
  return { home: homePath, status: sound && absent.length === 0 ? 'ok' : 'problems', files, absent };
}

async function checkFile(homePath: string, file: HomeFileName): Promise<CheckedFile> {
  try {
    const content = await readHomeFile(homePath, file);
    return { file, status: content === undefined ? 'missing' : 'ok' };
  } catch (error) {
    if (!(error instanceof MabsError)) throw error;
    return { file, status: error.kind === 'newer' ? 'newer' : 'invalid', problem: error.message };
  }
}

async function absentHosts(homePath: string): Promise<{ what: string; path: string }[]> {
  const hosts = (await readable(homePath, 'hosts.json'))?.hosts ?? [];
  const folders = hosts.flatMap((host) => (host.type === 'lab' ? [{ what: `host ${host.name}`, path: host.path }] : []));
  return missing(folders);
}

async function absentPools(homePath: string): Promise<{ what: string; path: string }[]> {
  const pools = (await readable(homePath, 'pools.json'))?.pools ?? [];
  const folders = pools.map(({ name, path }) => ({ what: `pool ${name}`, path }));
  const secrets = pools.flatMap(({ name, secret }) =>
    secret && 'file' in secret ? [{ what: `passphrase of pool ${name}`, path: secret.file }] : [],
  );
  return missing([...folders, ...secrets]);
}

async function readable<Name extends 'hosts.json' | 'pools.json'>(homePath: string, file: Name) {
  return readHomeFile(homePath, file).catch((error: unknown) => {
    // `checkFile` tells of it.
    if (error instanceof MabsError) return undefined;
    throw error;
  });
}

async function missing(things: readonly { what: string; path: string }[]): Promise<{ what: string; path: string }[]> {
  const there = await Promise.all(things.map(({ path }) => stat(path).then(Boolean, () => false)));
  return things.filter((_, index) => !there[index]);
}
