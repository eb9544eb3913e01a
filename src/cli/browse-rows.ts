import type { MachineVolume } from '../core/inside/machine-volumes.ts';
import type { MarkedFile } from '../core/inside/marked-files.ts';
import type { WalkedFile } from '../core/inside/walk-files.ts';
import { fileTimeText } from '../lib/file-time.ts';
import { formatSize } from '../lib/sizes.ts';
import type { Choice } from './app.ts';

/** Where the walk stands: among the volumes, or in a folder of one. */
export interface Place {
  readonly volume?: MachineVolume;
  readonly names: readonly string[];
}

export type Step =
  | { readonly do: 'go'; readonly to: Place }
  | { readonly do: 'toggle'; readonly file: MarkedFile }
  | { readonly do: 'mark-several' | 'search' | 'show' | 'restore' | 'leave' };

/** A row to choose. */
export interface Shown {
  /** What typing filters by. */
  readonly name: string;
  readonly line: string;
  readonly step: Step;
  readonly hint?: string;
  /** What marking it marks; absent for what is damaged. */
  readonly file?: MarkedFile;
}

/** A volume among the others. */
export function shownVolume(volume: MachineVolume): Shown {
  const { address, fileSystem, label, sizeBytes, unreadable } = volume;
  const what = [fileSystem ?? 'nothing known', label === undefined ? '' : `"${label}"`, formatSize(sizeBytes)].filter(Boolean).join('  ');
  const file: MarkedFile = { address, type: 'volume', size: sizeBytes };
  const hint = unreadable ?? 'Enter opens it; marked, it is brought back as an image.';
  return { name: address, line: `${address}  ${what}`, step: { do: 'go', to: { volume, names: [] } }, hint, file };
}

/** A file or folder in a folder; `name`: as it is called where it is shown. */
export function shownFile(volume: MachineVolume, { names, type, node, error }: WalkedFile, name = names.at(-1)!): Shown {
  const { address } = volume;
  if (!node)
    return { name, line: `${name}  damaged`, step: { do: 'go', to: { volume, names: names.slice(0, -1) } }, hint: error?.message ?? '' };
  const file: MarkedFile = { address, names, type, size: node.size };
  if (type === 'dir') return { name, line: `${name}/`, step: { do: 'go', to: { volume, names } }, file };
  const time = fileTimeText(node.modified)?.slice(0, 16).replace('T', ' ') ?? '';
  const leads = node.target === undefined ? '' : ` -> ${node.target}`;
  const hint = [formatSize(node.size), time, node.unreadable ?? ''].filter(Boolean).join('  ');
  return { name, line: `${name}${leads}`, step: { do: 'toggle', file }, hint, file };
}

/** The way out of a folder, or of a volume. */
export function upFrom({ volume, names }: Place): Choice<Step>[] {
  if (!volume) return [];
  const to = names.length > 0 ? { volume, names: names.slice(0, -1) } : { names: [] };
  return [{ name: '    ..', value: { do: 'go', to }, hint: names.length > 0 ? 'One folder up.' : 'The volumes.' }];
}
