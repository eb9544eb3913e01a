import { openImage, splitImagePath } from '../../core/inside/opened-image.ts';
import type { OpenedMachine } from '../../core/inside/opened-machine.ts';
import { parseVolumePath, type VolumePath } from '../../core/inside/volume-path.ts';
import type { App } from '../app.ts';

/** Options of the commands that look into images. */
export interface LookOptions {
  readonly parent?: string;
  readonly with?: readonly string[];
}

export const PARENT_OPTION = ['--parent <file>', 'parent of a differencing image, instead of what its locators say'] as const;
export const WITH_OPTION = ['--with <image>', 'a further disk of the same machine, for its volume groups (repeatable)', gather] as const;

/** What `IMAGE[:/pN/PATH]` names: the disks, to be disposed of when done, and the place on them. */
export async function openFrom(
  app: App,
  text: string,
  { parent, with: others }: LookOptions,
): Promise<{ machine: OpenedMachine; path: VolumePath }> {
  const { image, path = '/' } = await splitImagePath(text);
  const place = parseVolumePath(path, { machine: false });
  const ports = { diskFormats: await app.diskFormats(), fileSystems: await app.fileSystems() };
  const machine = openImage(ports, { image, ...(parent !== undefined && { parent }), ...(others && { with: others }) });
  return { machine, path: place };
}

function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
