import type { LogicalVolume, PhysicalVolume } from '../disk-format.ts';
import { readMetadataText } from './metadata-area.ts';
import { readPhysicalVolumeLabel } from './physical-volume-label.ts';
import { LogicalVolumeUnreadableError, placeOf } from './striped-volume.ts';
import { type GroupDescription, type LogicalDescription, parseVolumeGroup } from './volume-group.ts';

/** One of the given volumes that has an LVM2 label, and the newest description of a group that it holds itself, if any. */
interface Member {
  readonly index: number;
  readonly sizeBytes: number;
  readonly id: string;
  readonly group?: GroupDescription;
}

/** A group, and which members each of its physical volumes may be: none (missing), one, or several (cloned disks). */
interface AssembledGroup {
  readonly description: GroupDescription;
  readonly groupId: string;
  readonly candidates: ReadonlyMap<string, readonly Member[]>;
}

/**
 * The logical volumes of all groups whose physical volumes are among `members`, by group, each in its own order. Of the copies of a
 * group's description the newest counts, wherever it lies. Hidden volumes (parts of others) are left out.
 *
 * Groups are told apart by their id, so the disks of two systems that both call theirs `ubuntu-vg` never mix. Cloned disks have
 * even that in common: a group of one physical volume is then a group for each clone; of a larger one, volumes on what exists
 * twice cannot be read, because nothing says which belongs to which.
 */
export async function readLogicalVolumes(members: readonly PhysicalVolume[]): Promise<LogicalVolume[]> {
  const groups = assemble(await readMembers(members));
  return groups.flatMap((group) => group.description.logicalVolumes.map((volume) => logicalVolumeOf(volume, group)));
}

async function readMembers(volumes: readonly PhysicalVolume[]): Promise<Member[]> {
  // Most copies of a description are equal.
  const parsed = new Map<string, GroupDescription | undefined>();
  const found: Member[] = [];
  for (const [index, volume] of volumes.entries()) {
    const label = await readPhysicalVolumeLabel(volume);
    if (!label) continue;
    const groups: GroupDescription[] = [];
    for (const area of label.metadataAreas) {
      const text = await readMetadataText(volume, area);
      if (text === undefined) continue;
      if (!parsed.has(text)) parsed.set(text, parseVolumeGroup(text));
      const group = parsed.get(text);
      if (group) groups.push(group);
    }
    const group = newest(groups);
    found.push({ index, sizeBytes: volume.sizeBytes, id: label.id, ...(group && { group }) });
  }
  return found;
}

const newest = (groups: readonly GroupDescription[]) => groups.toSorted((a, b) => b.sequence - a.sequence)[0];

function assemble(members: readonly Member[]): AssembledGroup[] {
  const byGroup = Map.groupBy(
    members.filter(({ group }) => group !== undefined),
    ({ group }) => group!.id,
  );
  const groups = [...byGroup].flatMap(([groupId, holders]) => {
    const clones = clonesOf(holders);
    if (clones) return clones;
    const description = newest(holders.map(({ group }) => group!))!;
    return [{ description, groupId, candidates: candidatesFor(description, members) }];
  });
  return groups.toSorted((a, b) => compare(a.description.name, b.description.name) || compare(a.groupId, b.groupId));
}

/** A group on a single physical volume that is there several times: a group each, in the order of the disks. */
function clonesOf(holders: readonly Member[]): AssembledGroup[] | undefined {
  const first = holders[0]!;
  const alone = holders.every(({ id, group }) => id === first.id && group!.physicalVolumes.size === 1);
  if (!alone || holders.length < 2) return undefined;
  return holders.map((member, copy) => {
    const description = member.group!;
    const groupId = copy === 0 ? description.id : `${description.id}.${copy + 1}`;
    return { description, groupId, candidates: candidatesFor(description, [member]) };
  });
}

function candidatesFor({ physicalVolumes }: GroupDescription, members: readonly Member[]): Map<string, Member[]> {
  const byId = Map.groupBy(members, ({ id }) => id);
  return new Map([...physicalVolumes].map(([name, { id, missing }]) => [name, missing ? [] : (byId.get(id) ?? [])]));
}

function logicalVolumeOf(volume: LogicalDescription, group: AssembledGroup): LogicalVolume {
  const { name, sizeBytes } = volume;
  const unreadable = volume.unreadable ?? absenceOf(volume, group);
  const members = new Map([...group.candidates].flatMap(([pv, [member]]) => (member ? [[pv, member.index] as const] : [])));
  return {
    group: group.description.name,
    groupId: group.groupId,
    name,
    sizeBytes,
    ...(unreadable !== undefined && { unreadable }),
    place(range) {
      if (unreadable !== undefined) throw new LogicalVolumeUnreadableError(`${group.description.name}/${name}`, unreadable);
      return placeOf(volume, range, members);
    },
  };
}

/** Why a volume whose layout is known cannot be read: what it lies on is not there, there twice, or too short. */
function absenceOf({ segments }: LogicalDescription, { description, candidates }: AssembledGroup): string | undefined {
  const missing = new Set<string>();
  for (const { stripes, length, stripeBytes } of segments) {
    for (const { volume, position } of stripes) {
      const [member, other] = candidates.get(volume)!;
      const named = () => nameOf(volume, description);
      if (other) return `several disks say that they are physical volume ${named()}: they are clones of each other`;
      if (!member) missing.add(named());
      else if (position + Math.max(length / stripes.length, stripeBytes) > member.sizeBytes) {
        return `physical volume ${named()} is shorter than its group says`;
      }
    }
  }
  if (missing.size === 0) return undefined;
  const [first] = missing;
  return missing.size === 1 ? `physical volume ${first} is missing` : `physical volumes are missing: ${[...missing].sort().join(', ')}`;
}

/** `pv1 (DyqTkS-JwVQ-FhYH-Lqhy-b0n9-IdXT-fK5QAR, once /dev/sdb)`: the identity as LVM writes it. */
function nameOf(volume: string, { physicalVolumes }: GroupDescription): string {
  const { id, device } = physicalVolumes.get(volume)!;
  const written = id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7');
  return `${volume} (${written}${device === undefined ? '' : `, once ${device}`})`;
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
