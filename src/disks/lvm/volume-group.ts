import type { ByteRange } from '../../lib/byte-range.ts';
import { type ConfigSection, type ConfigValue, isSection, parseConfigText } from './config-text.ts';
import { withoutOverlaps } from './overlapping-volumes.ts';
import { isLvmId } from './physical-volume-label.ts';

/** What a description counts sizes in. */
const SECTOR = 512;

/** A volume group as one copy of its description has it. */
export interface GroupDescription {
  readonly name: string;
  /** 32 characters. */
  readonly id: string;
  /** Grows with each change. */
  readonly sequence: number;
  /** By the name that segments use: `pv0`, … */
  readonly physicalVolumes: ReadonlyMap<string, PhysicalDescription>;
  /** Those that a person sees. */
  readonly logicalVolumes: readonly LogicalDescription[];
}

export interface PhysicalDescription {
  readonly id: string;
  /** Where it was when the group was changed last: `/dev/sda2`. */
  readonly device?: string;
  /** Marked as missing: what it holds may be older than the group. */
  readonly missing: boolean;
}

export interface LogicalDescription {
  readonly name: string;
  readonly sizeBytes: number;
  /** Ascending, adjoining, from 0 to the size; empty where `unreadable` says why. */
  readonly segments: readonly Segment[];
  readonly unreadable?: string;
}

/** A part of a logical volume that goes over its stripes in turn; linear is one stripe. */
export interface Segment extends ByteRange {
  /** Bytes that lie on a stripe before the next one follows. */
  readonly stripeBytes: number;
  readonly stripes: readonly { readonly volume: string; readonly position: number }[];
}

/** Reads the description of a volume group; `undefined` where it is none. A logical volume that is described wrongly is listed as unreadable. */
export function parseVolumeGroup(text: string): GroupDescription | undefined {
  const [name, group] = [...(parseConfigText(text) ?? [])].find(([, value]) => isSection(value)) ?? [];
  if (name === undefined || !isSection(group) || !isLvmName(name)) return undefined;
  const id = idOf(group);
  const sequence = count(group, 'seqno');
  const extentBytes = bytesOf(group.get('extent_size'));
  if (id === undefined || sequence === undefined || !extentBytes) return undefined;
  const physicalVolumes = physicalVolumesOf(group, extentBytes);
  const logicalVolumes = withoutOverlaps(logicalVolumesOf(group, { extentBytes, physicalVolumes }));
  return { name, id, sequence, physicalVolumes, logicalVolumes };
}

/** lvm(8), Valid names. Nothing that LVM would refuse is used as a name. */
function isLvmName(name: string): boolean {
  return /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/.test(name) && name !== '.' && name !== '..';
}

interface PhysicalPlace extends PhysicalDescription {
  readonly startBytes: number;
  readonly extents: number;
}

function physicalVolumesOf(group: ConfigSection, extentBytes: number): Map<string, PhysicalPlace> {
  const found = new Map<string, PhysicalPlace>();
  for (const [name, section] of sectionsOf(group.get('physical_volumes'))) {
    const id = idOf(section);
    const startBytes = bytesOf(section.get('pe_start'));
    const extents = count(section, 'pe_count');
    if (!isLvmName(name) || id === undefined || startBytes === undefined || extents === undefined) continue;
    if (!Number.isSafeInteger(startBytes + extents * extentBytes)) continue;
    const device = section.get('device');
    const told = typeof device === 'string' && /^\/dev\/[\x21-\x7e]{1,64}$/.test(device);
    found.set(name, { id, startBytes, extents, missing: hasFlag(section, 'MISSING'), ...(told && { device }) });
  }
  return found;
}

interface GroupGeometry {
  readonly extentBytes: number;
  readonly physicalVolumes: ReadonlyMap<string, PhysicalPlace>;
}

function logicalVolumesOf(group: ConfigSection, geometry: GroupGeometry): LogicalDescription[] {
  const sections = sectionsOf(group.get('logical_volumes'));
  const snapshots = snapshotsOf(sections);
  return sections
    .filter(([name, section]) => isLvmName(name) && hasFlag(section, 'VISIBLE'))
    .map(([name, section]) => logicalVolumeOf(name, section, geometry, snapshots.get(name)));
}

/** Logical volumes that hold, or wait for, what a snapshot keeps; told by hidden volumes of type `snapshot`. */
function snapshotsOf(sections: readonly [string, ConfigSection][]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, section] of sections) {
    const segment = section.get('segment1');
    if (!isSection(segment) || segment.get('type') !== 'snapshot') continue;
    const store = segment.get('cow_store');
    if (typeof store === 'string') found.set(store, 'it is a snapshot, of which only the differences from its origin are kept');
    const [merging, origin] = [segment.get('merging_store'), segment.get('origin')];
    if (typeof merging === 'string') found.set(merging, 'it is a snapshot that is being merged into its origin');
    if (typeof merging === 'string' && typeof origin === 'string') found.set(origin, 'a snapshot is being merged into it');
  }
  return found;
}

const DAMAGED = 'its description is damaged';

function logicalVolumeOf(name: string, section: ConfigSection, geometry: GroupGeometry, snapshot: string | undefined): LogicalDescription {
  const segments: Segment[] = [];
  let unreadable = snapshot;
  let sizeBytes = 0;
  const claimed = count(section, 'segment_count') ?? 0;
  for (let number = 1; number <= claimed; number++) {
    const segment = section.get(`segment${number}`);
    const length = isSection(segment) ? lengthOf(segment, sizeBytes, geometry.extentBytes) : undefined;
    if (!isSection(segment) || length === undefined) return { name, sizeBytes, segments: [], unreadable: DAMAGED };
    const read = stripesOf(segment, length, geometry);
    if (typeof read === 'string') unreadable ??= read;
    else segments.push({ offset: sizeBytes, length, ...read });
    sizeBytes += length;
  }
  if (sizeBytes === 0) unreadable ??= DAMAGED;
  return { name, sizeBytes, segments: unreadable === undefined ? segments : [], ...(unreadable !== undefined && { unreadable }) };
}

/** The bytes of a segment that has to begin at `start`. */
function lengthOf(segment: ConfigSection, start: number, extentBytes: number): number | undefined {
  const length = (count(segment, 'extent_count') ?? 0) * extentBytes;
  const begins = (count(segment, 'start_extent') ?? Number.NaN) * extentBytes;
  return length > 0 && Number.isSafeInteger(start + length) && begins === start ? length : undefined;
}

/** How a segment lies on physical volumes, or why it cannot be read. */
function stripesOf(segment: ConfigSection, length: number, geometry: GroupGeometry): Omit<Segment, keyof ByteRange> | string {
  const type = segment.get('type');
  if (typeof type !== 'string') return DAMAGED;
  if (type !== 'striped' && type !== 'linear') return typeReason(type);
  const list = segment.get('stripes');
  const stripeCount = count(segment, 'stripe_count') ?? 0;
  if (!Array.isArray(list) || stripeCount === 0 || list.length !== stripeCount * 2) return DAMAGED;
  const stripeBytes = stripeCount === 1 ? length : (bytesOf(segment.get('stripe_size')) ?? 0);
  const each = length / stripeCount;
  if (stripeBytes === 0 || each % geometry.extentBytes !== 0 || each % stripeBytes !== 0) return DAMAGED;
  const stripes = [];
  for (let at = 0; at < list.length; at += 2) {
    const [volume, extent] = [list[at], list[at + 1]];
    if (typeof volume !== 'string' || !isCount(extent)) return DAMAGED;
    const place = geometry.physicalVolumes.get(volume);
    if (!place)
      return `part of it lies on “${isLvmName(volume) ? volume : '?'}”, which is no physical volume: it is being moved or converted`;
    if (extent + each / geometry.extentBytes > place.extents) return DAMAGED;
    stripes.push({ volume, position: place.startBytes + extent * geometry.extentBytes });
  }
  return { stripeBytes, stripes };
}

function typeReason(type: string): string {
  const named = /^[a-z0-9_+-]{1,40}$/i.test(type) ? type : 'unknown';
  return `its layout is “${named}”; linear and striped are read`;
}

function sectionsOf(value: ConfigValue | undefined): [string, ConfigSection][] {
  return isSection(value) ? [...value].filter((entry): entry is [string, ConfigSection] => isSection(entry[1])) : [];
}

function idOf(section: ConfigSection): string | undefined {
  const text = section.get('id');
  const id = typeof text === 'string' ? text.replaceAll('-', '') : '';
  return isLvmId(id) ? id : undefined;
}

function hasFlag(section: ConfigSection, flag: string): boolean {
  return ['status', 'flags'].some((field) => {
    const flags = section.get(field);
    return Array.isArray(flags) ? flags.includes(flag) : flags === flag;
  });
}

const isCount = (value: ConfigValue | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function count(section: ConfigSection, field: string): number | undefined {
  const value = section.get(field);
  return isCount(value) ? value : undefined;
}

function bytesOf(sectors: ConfigValue | undefined): number | undefined {
  const bytes = isCount(sectors) ? sectors * SECTOR : undefined;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
