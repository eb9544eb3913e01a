import { z } from 'zod';
import { MabsError } from '../../lib/errors.ts';
import { parseGuid } from '../../lib/guid.ts';

const text = z.string().min(1).max(32_767);
/** The definition's own words are compared without regard to case: people write these files by hand. */
const word = <const T extends readonly [string, ...string[]]>(...words: T) => z.preprocess(lowerCase, z.enum(words));

const diskSchema = z.looseObject({
  /** The disk's identity within its VM; its path when first seen where there is none. */
  id: z.union([text, z.number().transform(String)]).optional(),
  controller: z.string().max(256).default('scsi'),
  /** Relative to the VM's folder, `/` or `\` between its parts; an absolute path is allowed. */
  path: text.refine((path) => !path.includes('\0'), 'holds a NUL character'),
});

/** What `vm.json` in a VM's folder holds. Unknown keys are kept when the lab rewrites it. */
export const vmDefinitionSchema = z.looseObject({
  id: text.transform((id) => parseGuid(id) ?? id.toLowerCase()),
  name: text.optional(),
  generation: z.union([z.literal(1), z.literal(2)]).default(2),
  state: word('running', 'off', 'saved', 'paused').default('off'),
  /** The guest lost its power and was not started since: its disks are not those of a guest that was shut down. */
  crashed: z.boolean().optional(),
  os: word('windows', 'linux', 'other').default('other'),
  integrationServices: z.looseObject({ version: z.coerce.string().default(''), vss: z.boolean().default(false) }).nullish(),
  disks: z.array(diskSchema).max(256).default([]),
  replication: z.looseObject({ mode: z.string().default('None'), state: z.string().default(''), health: z.string().default('') }).nullish(),
});

export type VmDefinition = z.infer<typeof vmDefinitionSchema>;
export type DiskDefinition = VmDefinition['disks'][number];

/** A `vm.json` that cannot be used; other VMs of the host are not concerned. */
export class LabVmInvalidError extends MabsError {
  readonly code = 'MABS-LAB-VM-INVALID';
  readonly hint = 'Correct the file: docs/guide/lab.md describes what it may hold.';
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
  }
}

/**
 * Parses the bytes of a `vm.json`: what it says, with defaults filled in, and the object as it was written. A VM without a name is
 * called like its folder. Throws MABS-LAB-VM-INVALID with the file and the key.
 */
export function parseVmDefinition(
  bytes: Uint8Array,
  file: string,
  folderName: string,
): { definition: VmDefinition & { name: string }; raw: unknown } {
  const raw = parseJson(bytes, file);
  const result = vmDefinitionSchema.safeParse(raw);
  if (!result.success) throw new LabVmInvalidError(file, firstIssue(result.error), { cause: result.error });
  return { definition: { ...result.data, name: result.data.name ?? folderName }, raw };
}

function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new LabVmInvalidError(file, `is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]!;
  const key = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return `${key.replace(/^\./, '') || 'the whole file'}: ${issue.message}`;
}

function lowerCase(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
