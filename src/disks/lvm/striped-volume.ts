import type { ByteRange } from '../../lib/byte-range.ts';
import { MabsError } from '../../lib/errors.ts';
import type { LogicalPlace } from '../disk-format.ts';
import { checkDiskRange } from '../disk-source.ts';
import type { LogicalDescription, Segment } from './volume-group.ts';

/** A logical volume cannot be read, though nothing says that it is damaged. */
export class LogicalVolumeUnreadableError extends MabsError {
  readonly code = 'MABS-LVM-UNREADABLE';
  readonly hint = 'Recover the disks of the VM whole, and read the volume with the LVM of a Linux system.';
  override readonly kind = 'prerequisite';
  constructor(volume: string, why: string) {
    super(`logical volume ${volume} cannot be read: ${why}`);
  }
}

/** Where a range of a logical volume lies; `members` says which of the given physical volumes a name of the description stands for. */
export function placeOf(
  { name, sizeBytes, segments }: LogicalDescription,
  range: ByteRange,
  members: ReadonlyMap<string, number>,
): LogicalPlace[] {
  checkDiskRange(`logical volume ${name}`, range, sizeBytes);
  const end = range.offset + range.length;
  const places: LogicalPlace[] = [];
  for (let index = segmentAt(segments, range.offset), at = range.offset; at < end; index++) {
    const segment = segments[index]!;
    const until = Math.min(end, segment.offset + segment.length);
    while (at < until) {
      const place = placeIn(segment, at, until, members);
      places.push(place);
      at += place.length;
    }
  }
  return places;
}

/** What lies at `at` up to the end of its stripe. Row by row, stripe by stripe: lvmraid(7) calls it raid0. */
function placeIn({ offset, stripeBytes, stripes }: Segment, at: number, until: number, members: ReadonlyMap<string, number>): LogicalPlace {
  const chunk = Math.floor((at - offset) / stripeBytes);
  const within = (at - offset) % stripeBytes;
  const { volume, position } = stripes[chunk % stripes.length]!;
  return {
    offset: at,
    length: Math.min(stripeBytes - within, until - at),
    member: members.get(volume)!,
    position: position + Math.floor(chunk / stripes.length) * stripeBytes + within,
  };
}

/** The segment that holds a position, by halving. */
function segmentAt(segments: readonly Segment[], position: number): number {
  let [low, high] = [0, segments.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (segments[middle]!.offset <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
