import type { FileSystem } from '../../filesystems/file-system.ts';
import { normalizeRanges, touches } from '../../lib/byte-range.ts';
import { MabsError } from '../../lib/errors.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import { diskName, parsePointName } from '../../model/names.ts';
import { DiskUnknownError } from '../disk-unknown.ts';
import { type MachineVolume, placesOf } from '../inside/machine-volumes.ts';
import { findFileOrStream } from '../inside/open-content.ts';
import type { OpenedMachine } from '../inside/opened-machine.ts';
import { openPoint } from '../inside/opened-point.ts';
import { ownFilesOf } from '../inside/own-files.ts';
import { parseVolumePath, type VolumePath, volumeAddress } from '../inside/volume-path.ts';
import { getPoint, type KnownPoint, pointVm } from '../known-points.ts';
import type { Ports } from '../ports.ts';
import type { FileSelection } from '../recovered-files.ts';
import type { Copied } from './copy-content.ts';
import type { TreeSource } from './restore-context.ts';
import { streamAsFile } from './stream-as-file.ts';

/** Something to be recovered, found in its point. `as`: the name that it shall have in the target. */
export type Selected = (
  | ({ readonly type: 'tree' } & Omit<TreeSource, 'as'>)
  | { readonly type: 'volume'; readonly volume: string; readonly content: Copied }
  | { readonly type: 'disk'; readonly volume: string; readonly disk: ManifestDisk }
) & {
  readonly point: KnownPoint;
  readonly as: string;
  /** What tells it from another one of the same name, the plainest first. */
  readonly marks: readonly string[];
};

export class SelectionUnfitError extends MabsError {
  readonly code = 'MABS-SELECTION-UNFIT';
  readonly hint: string;
  override readonly kind = 'usage';
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Finds everything that was selected, each thing once, before anything is written. The points stay open until `stack` ends. */
export async function findSelections(
  ports: Ports,
  selections: readonly (string | FileSelection)[],
  format: string,
  stack: AsyncDisposableStack,
): Promise<Selected[]> {
  const machines = new Map<string, OpenedMachine>();
  const points = new Map<string, Promise<KnownPoint>>();
  const found = new Map<string, Selected>();
  for (const selection of selections) {
    const { head, path, names } = partsOf(selection);
    const pending = points.get(head) ?? getPoint(ports, head).then(({ point }) => point);
    points.set(head, pending);
    const point = await pending;
    const machine = machines.get(point.manifest.id) ?? stack.use(openPoint(ports, point));
    machines.set(point.manifest.id, machine);
    const selected = await findSelected(machine, point, path, names, format);
    found.set(JSON.stringify([selected.type, selected.volume, selected.type === 'tree' ? selected.names : []]), selected);
  }
  return [...found.values()];
}

interface Parts {
  readonly head: string;
  readonly path: VolumePath;
  readonly names: readonly string[] | undefined;
}

function partsOf(selection: string | FileSelection): Parts {
  if (typeof selection !== 'string') {
    const path = parseVolumePath(selection.volume, { machine: true });
    return { head: selection.point, path, names: selection.names };
  }
  const { path: text } = parsePointName(selection);
  const path = text === undefined ? ({ type: 'all' } as const) : parseVolumePath(text, { machine: true });
  const head = text === undefined ? selection : selection.slice(0, -text.length - 1);
  const names = path.type === 'volume' && (path.slash || path.names.length > 0) ? path.names : undefined;
  return { head, path, names };
}

async function findSelected(
  machine: OpenedMachine,
  point: KnownPoint,
  path: VolumePath,
  names: readonly string[] | undefined,
  format: string,
): Promise<Selected> {
  const what = `${pointVm(point)}@${point.manifest.id.slice(0, 8)}`;
  if (path.type === 'all')
    throw new SelectionUnfitError(`${what} is a whole VM`, 'Recover it by itself, or name its disks: …:/disk0 …:/disk1');
  if (path.type === 'groups') throw new SelectionUnfitError(`${what}: a volume group is no volume`, 'Name its volumes: …:/lv/VG/LV');
  if (path.type === 'disk') {
    const { disks } = point.manifest;
    const disk = disks.find(({ index }) => index === path.disk);
    const name = diskName(path.disk);
    if (!disk) throw new DiskUnknownError(`${what}:/${name}`, disks);
    return { type: 'disk', point, disk, volume: `${what}:/${name}`, as: `${name}.${format}`, marks: marksOf(point, []) };
  }
  const volume = await machine.volume(path.volume);
  const address = volumeAddress(path.volume);
  const label = address.slice(1).replaceAll('/', '-');
  const marks = marksOf(point, [address.slice(1).replaceAll('/', ' ')]);
  if (names === undefined) {
    // What says of itself that it cannot be read rejects here, in its own words.
    if (volume.unreadable !== undefined) await machine.fileSystem(volume);
    return {
      type: 'volume',
      point,
      volume: `${what}:${address}`,
      content: await contentOf(machine, point, volume),
      as: `${label}.raw`,
      marks,
    };
  }
  const system = await machine.fileSystem(volume);
  const { names: found, node, stream } = await findFileOrStream(system, names, `${what}:${address}`, { asStored: true });
  const way = stream === undefined ? found : [...found.slice(0, -1), `${found.at(-1)}:${stream}`];
  const parent = way.at(-2);
  return {
    type: 'tree',
    point,
    ...(stream === undefined ? { system, node, ...leftOutOf(point, volume, system) } : streamAsFile(system, node, stream)),
    ...(way.length === 0 && { omit: ownFilesOf(system) }),
    volume: `${what}:${address}`,
    names: way,
    as: way.at(-1) ?? label,
    marks: parent === undefined ? marks : [marks[0]!, parent, ...marks.slice(1)],
  };
}

/** Page files and the like are at least this large; smaller files are not looked up. */
const LEFT_OUT_BYTES = 64 * 1024;

/** Nothing where nothing was left out of the point. */
function leftOutOf({ manifest: { disks } }: KnownPoint, volume: MachineVolume, system: FileSystem): Pick<TreeSource, 'isLeftOut'> {
  const leftOut = disks.map((disk) => normalizeRanges(disk.leftOut.map(([offset, length]) => ({ offset, length }))));
  if (leftOut.every((ranges) => ranges.length === 0)) return {};
  return {
    async isLeftOut(node) {
      if (node.type !== 'file' || node.size < LEFT_OUT_BYTES) return false;
      for (const range of await system.allocation(node)) {
        for (const { disk, position, length } of placesOf(volume, range)) {
          if (touches(leftOut[disk]!, { offset: position, length })) return true;
        }
      }
      return false;
    },
  };
}

function marksOf(point: KnownPoint, inside: readonly string[]): string[] {
  const { vm, capturedAt, id } = point.manifest;
  return [...inside, vm.name, capturedAt.replaceAll(':', '').slice(0, 17), id.slice(0, 8)];
}

/** A volume as content: what its disks say is zero is a hole. */
async function contentOf(machine: OpenedMachine, point: KnownPoint, volume: MachineVolume): Promise<Copied> {
  const { disks } = point.manifest;
  return {
    sizeBytes: volume.sizeBytes,
    read: (offset, into) => volume.read(offset, into),
    async data(range) {
      const ranges = [];
      for (const place of volume.place(range)) {
        const disk = await machine.disk(disks[place.disk]!.index);
        for (const extent of await disk.extents({ offset: place.position, length: place.length })) {
          if (extent.from !== 'zero') ranges.push({ offset: place.offset + extent.offset - place.position, length: extent.length });
        }
      }
      return ranges;
    },
  };
}

/**
 * Names for all, no two of them equal by `keyOf`: those that would be get what tells them apart in parentheses, before their extension.
 */
export function nameSelections(selected: readonly Selected[], keyOf: (name: string) => string): Selected[] {
  const named = [...selected];
  for (const clashing of Map.groupBy(selected.keys(), (index) => keyOf(selected[index]!.as)).values()) {
    if (clashing.length === 1) continue;
    const most = Math.max(...clashing.map((index) => selected[index]!.marks.length));
    const apart = Array.from({ length: most }, (_, mark) => clashing.map((index) => selected[index]!.marks[mark] ?? '')).find(
      (marks) => new Set(marks.map(keyOf)).size === marks.length,
    );
    clashing.forEach((index, place) => {
      const mark = apart?.[place] ?? String(place + 1);
      named[index] = { ...selected[index]!, as: withMark(selected[index]!.as, mark) };
    });
  }
  return makeUnique(named, keyOf);
}

/** `name (2).txt` for what has a name that another one has by now. */
function makeUnique(selected: readonly Selected[], keyOf: (name: string) => string): Selected[] {
  const taken = new Set<string>();
  return selected.map((one) => {
    let { as } = one;
    for (let number = 2; taken.has(keyOf(as)); number++) as = withMark(one.as, String(number));
    taken.add(keyOf(as));
    return { ...one, as };
  });
}

/** `notes.txt` and `disk1 p2`: `notes (disk1 p2).txt`. */
export function withMark(name: string, mark: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)} (${mark})${name.slice(dot)}` : `${name} (${mark})`;
}
