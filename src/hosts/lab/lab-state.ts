import { join } from 'node:path';
import { z } from 'zod';
import { MabsError } from '../../lib/errors.ts';
import { readIfThere, removeFile, replaceJson } from './durable-json.ts';

const overlaySchema = z.object({
  /** The disk's path as `vm.json` writes it. */
  disk: z.string(),
  /** The differencing image that the guest writes to. This and other paths are relative to the VM's folder, or absolute. */
  path: z.string(),
  /** What lies under it: the disk itself, or the overlay before it. */
  parent: z.string(),
  /** The parent's own disk id when the overlay was made, by which a replaced parent is known. */
  parentId: z.string().optional(),
  /** The overlay is in use from `active` on; at `merging` its content is on its way into the parent. */
  phase: z.enum(['creating', 'active', 'merging']),
  /** The guest wrote to it. Set before the first byte is written. */
  written: z.boolean(),
});

const captureSchema = z.object({
  id: z.string(),
  at: z.string(),
  /** `frozen`: overlays lie on the disks. `as-it-lies`: the VM was not running, overlays come when somebody starts it or writes. */
  kind: z.enum(['frozen', 'as-it-lies']),
  /** The VM goes back to this state once the overlays are there; absent when it was never changed, or is back already. */
  resumeTo: z.enum(['running', 'paused']).optional(),
  /** Files made for this capture alone, removed with it. */
  files: z.array(z.string()),
});

const keptOldSchema = z.object({
  recoveryId: z.string(),
  /** Milliseconds since 1970 after which the files may go. */
  until: z.number(),
  files: z.array(z.string()),
});

/** What the lab remembers of a VM beside its definition, in `lab-state.json`. Every change is durable before it is acted upon. */
export const labStateSchema = z.object({
  version: z.literal(1),
  captures: z.array(captureSchema),
  /** Bottom to top for each disk. */
  overlays: z.array(overlaySchema),
  keptOld: z.array(keptOldSchema),
});

export type LabState = z.infer<typeof labStateSchema>;
export type Overlay = LabState['overlays'][number];
export type CaptureRecord = LabState['captures'][number];

export class LabStateInvalidError extends MabsError {
  readonly code = 'MABS-LAB-STATE-INVALID';
  readonly hint = 'When no backup of this VM is running and no *.avhdx of a capture lies beside its disks, the file may be removed.';
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
  }
}

/** Reads a VM's state; a VM that mabs never touched has none. */
export async function readLabState(vmFolder: string): Promise<LabState> {
  const file = stateFile(vmFolder);
  const content = await readIfThere(file);
  if (!content) return { version: 1, captures: [], overlays: [], keptOld: [] };
  try {
    return labStateSchema.parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    throw new LabStateInvalidError(file, `cannot be read: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
}

/** Replaces a VM's state durably; a state that holds nothing leaves no file. */
export async function writeLabState(vmFolder: string, state: LabState): Promise<void> {
  const empty = state.captures.length + state.overlays.length + state.keptOld.length === 0;
  await (empty ? removeFile(stateFile(vmFolder)) : replaceJson(stateFile(vmFolder), state));
}

/** The image that the guest writes to: the topmost overlay of a disk, if it has any. */
export function topOverlay(state: LabState, disk: string): Overlay | undefined {
  return state.overlays.findLast((overlay) => overlay.disk === disk && overlay.phase !== 'creating');
}

function stateFile(vmFolder: string): string {
  return join(vmFolder, 'lab-state.json');
}
