import { homedir } from 'node:os';
import { posix, resolve, win32 } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the home is, and who says so. */
export interface HomePlace {
  readonly path: string;
  readonly from: { readonly source: 'flag' | 'environment' | 'default'; readonly from?: string };
}

/** The home of this process: `--home` before MABS_HOME before the platform's folder. */
export function findHome(flag: string | undefined, environment: Environment, platform: NodeJS.Platform): HomePlace {
  const path = findHomePath(flag || environment.MABS_HOME, environment, platform);
  if (flag) return { path, from: { source: 'flag', from: '--home' } };
  return { path, from: environment.MABS_HOME ? { source: 'environment', from: 'MABS_HOME' } : { source: 'default' } };
}

/**
 * Where the home is: what was asked for (`--home` or MABS_HOME), else the platform's folder for data. On Windows that is
 * `%LOCALAPPDATA%\mabs`, which only its user, the system and administrators can read or change: a home may name commands that are run.
 * Under `%ProgramData%` every user of the machine could make it first. A service is told its home by MABS_HOME.
 */
function findHomePath(asked: string | undefined, environment: Environment, platform: NodeJS.Platform): string {
  if (asked) return resolve(asked);
  if (platform === 'win32') {
    const local = environment.LOCALAPPDATA || environment.LocalAppData;
    return win32.join(local || win32.join(environment.USERPROFILE || homedir(), 'AppData', 'Local'), 'mabs');
  }
  const user = environment.HOME || homedir();
  if (platform === 'darwin') return posix.join(user, 'Library', 'Application Support', 'mabs');
  // The XDG base directory specification: a relative path in the variable is invalid and is ignored.
  const data = environment.XDG_DATA_HOME;
  return posix.join(data?.startsWith('/') ? data : posix.join(user, '.local', 'share'), 'mabs');
}
