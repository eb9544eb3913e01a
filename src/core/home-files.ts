import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { settingsSchema } from './settings-file.ts';

/** Version of the files of a home; each says it in its field `version`. */
export const HOME_VERSION = 1;

const name = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

const identitySchema = z.object({ version: z.literal(HOME_VERSION), id: z.string().regex(/^[0-9a-f-]{8,64}$/), createdAt: z.string() });

const hostsSchema = z.object({
  version: z.literal(HOME_VERSION),
  hosts: z.array(
    z.discriminatedUnion('type', [
      z.object({ name, type: z.literal('lab'), path: z.string() }),
      z.object({ name, type: z.literal('powershell'), computer: z.string().exactOptional() }),
    ]),
  ),
});

const poolsSchema = z.object({
  version: z.literal(HOME_VERSION),
  pools: z.array(
    z.object({
      name,
      id: z.string().min(1),
      path: z.string().min(1),
      secret: z.union([z.object({ file: z.string() }), z.object({ command: z.string() })]).exactOptional(),
      groupsUnconfirmed: z.boolean().exactOptional(),
    }),
  ),
});

/** The files of a home and what each holds. */
export const HOME_FILES = {
  'home.json': identitySchema,
  'hosts.json': hostsSchema,
  'pools.json': poolsSchema,
  'settings.json': settingsSchema,
} as const;

export type HomeFileName = keyof typeof HOME_FILES;
export type HomeFile<Name extends HomeFileName> = z.infer<(typeof HOME_FILES)[Name]>;

/** The content of a file of a home; `undefined` where there is none. Newer than this program: MABS-HOME-NEWER. */
export async function readHomeFile<Name extends HomeFileName>(home: string, file: Name): Promise<HomeFile<Name> | undefined> {
  const path = join(home, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  return parseHomeFile(file, path, text);
}

function parseHomeFile<Name extends HomeFileName>(file: Name, path: string, text: string): HomeFile<Name> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new HomeFileError(path, 'it is not JSON', { cause: error });
  }
  const version = z.object({ version: z.number() }).safeParse(json).data?.version;
  if (version !== undefined && version > HOME_VERSION) throw new HomeNewerError(path, version);
  const parsed = HOME_FILES[file].safeParse(json);
  if (!parsed.success) throw new HomeFileError(path, z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' '), { cause: parsed.error });
  return parsed.data as HomeFile<Name>;
}

export class HomeFileError extends MabsError {
  readonly code = 'MABS-HOME-FILE';
  readonly hint = 'Mend the file by hand, or restore it from a copy; mabs config validate checks all of them.';
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`${path} cannot be understood: ${what}`, options);
  }
}

export class HomeNewerError extends MabsError {
  readonly code = 'MABS-HOME-NEWER';
  readonly hint = 'Install the newer version of mabs, or use another home (--home).';
  override readonly kind = 'newer';
  constructor(path: string, version: number) {
    super(`${path} was written by a newer version of mabs (version ${version} of the format, this one knows ${HOME_VERSION})`);
  }
}
