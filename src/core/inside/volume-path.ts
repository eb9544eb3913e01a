import { diskName, NameUnreadableError } from '../../model/names.ts';

/** A volume by name: `/p2` of an image, `/disk0/p2` of a machine, `/lv/VG/LV` of either. */
export type VolumeName =
  | { readonly type: 'partition'; readonly disk?: number; readonly partition: number }
  | { readonly type: 'logical'; readonly group: string; readonly volume: string };

/** What a path behind `:` names: everything, the volumes of a disk or of a volume group, or a place in a volume. */
export type VolumePath =
  | { readonly type: 'all' }
  | { readonly type: 'disk'; readonly disk: number }
  | { readonly type: 'groups'; readonly group?: string }
  /** `names`: from the root of the volume down; empty for the volume itself. `slash`: whether the path ended with one. */
  | { readonly type: 'volume'; readonly volume: VolumeName; readonly names: readonly string[]; readonly slash: boolean };

const DISK = /^disk(0|[1-9]\d{0,3})$/;
const PARTITION = /^p([1-9]\d{0,4})$/;

/**
 * Reads `/p2/PATH`, `/disk0/p2/PATH`, `/lv/VG/LV/PATH` and what stops short of a path. Slashes that follow each other count as one.
 * Names inside a volume are data: `..` is a name like any other, which is looked up and leads nowhere else. `machine`: partitions are
 * named with their disk, as in a recovery point; in an image they are not. MABS-NAME-UNREADABLE for anything else.
 */
export function parseVolumePath(text: string, { machine }: { readonly machine: boolean }): VolumePath {
  const words = text.split('/').filter((word) => word !== '');
  const slash = text.endsWith('/');
  const [first, second, third] = words;
  if (first === undefined) return { type: 'all' };
  if (first === 'lv') {
    if (second === undefined) return { type: 'groups' };
    if (third === undefined) return { type: 'groups', group: second };
    return { type: 'volume', volume: { type: 'logical', group: second, volume: third }, names: words.slice(3), slash };
  }
  const disk = machine ? numberIn(DISK, first) : undefined;
  if (machine && disk !== undefined && second === undefined) return { type: 'disk', disk };
  const partition = numberIn(PARTITION, machine ? second : first);
  if (partition === undefined || (machine && disk === undefined)) throw unreadable(text, machine);
  const volume: VolumeName = { type: 'partition', ...(disk !== undefined && { disk }), partition };
  return { type: 'volume', volume, names: words.slice(machine ? 2 : 1), slash };
}

/** A volume's name as it is written: `/p2`, `/disk0/p2`, `/lv/VG/LV`. */
export function volumeAddress(name: VolumeName): string {
  if (name.type === 'logical') return `/lv/${name.group}/${name.volume}`;
  return `${name.disk === undefined ? '' : `/${diskName(name.disk)}`}/p${name.partition}`;
}

/** A path inside a volume from its names: `/` for the root. */
export function pathOf(names: readonly string[]): string {
  return `/${names.join('/')}`;
}

function numberIn(pattern: RegExp, word: string | undefined): number | undefined {
  const match = word === undefined ? null : pattern.exec(word);
  return match ? Number(match[1]) : undefined;
}

function unreadable(text: string, machine: boolean): NameUnreadableError {
  const slashes = text.includes('\\') ? ', with / between names' : '';
  return machine
    ? new NameUnreadableError(text, 'a place in a recovery point', `/disk0/p2/PATH or /lv/VG/LV/PATH${slashes}; / alone lists the volumes`)
    : new NameUnreadableError(text, 'a place in an image', `/p2/PATH or /lv/VG/LV/PATH${slashes}; the image alone lists its volumes`);
}
