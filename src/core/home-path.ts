import { homedir } from 'node:os';
import { posix, resolve, win32 } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the home is: what was asked for (`--home` or MABS_HOME), else the platform's folder for data. On Windows that is
 * `%ProgramData%\mabs`: a backup server's home belongs to the machine, and the service that runs the schedule has to find it whoever made it.
 */
export function findHomePath(asked: string | undefined, environment: Environment, platform: NodeJS.Platform): string {
  if (asked) return resolve(asked);
  if (platform === 'win32') return win32.join(environment.ProgramData || environment.PROGRAMDATA || 'C:\\ProgramData', 'mabs');
  const user = environment.HOME || homedir();
  if (platform === 'darwin') return posix.join(user, 'Library', 'Application Support', 'mabs');
  // The XDG base directory specification: a relative path in the variable is invalid and is ignored.
  const data = environment.XDG_DATA_HOME;
  return posix.join(data?.startsWith('/') ? data : posix.join(user, '.local', 'share'), 'mabs');
}
