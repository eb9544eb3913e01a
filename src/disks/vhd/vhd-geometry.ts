export interface VhdGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** The largest geometry that the format can tell; larger disks have it too, whatever their size. */
const MAX_GEOMETRY: VhdGeometry = { cylinders: 65_535, heads: 16, sectorsPerTrack: 255 };

/** Bytes that a geometry addresses. */
export function geometrySize({ cylinders, heads, sectorsPerTrack }: VhdGeometry): number {
  return cylinders * heads * sectorsPerTrack * 512;
}

export function isMaxGeometry({ cylinders, heads, sectorsPerTrack }: VhdGeometry): boolean {
  return cylinders === MAX_GEOMETRY.cylinders && heads === MAX_GEOMETRY.heads && sectorsPerTrack === MAX_GEOMETRY.sectorsPerTrack;
}

/** The geometry of a disk of this size: the largest that is not larger (VHD specification, appendix CHS Calculation). */
export function geometryFor(sizeBytes: number): VhdGeometry {
  const sectors = Math.min(Math.floor(sizeBytes / 512), 65_535 * 16 * 255);
  if (sectors >= 65_535 * 16 * 63) return { ...MAX_GEOMETRY, cylinders: Math.floor(sectors / (16 * 255)) };
  let sectorsPerTrack = 17;
  let tracks = Math.floor(sectors / sectorsPerTrack);
  let heads = Math.max(4, Math.floor((tracks + 1023) / 1024));
  if (tracks >= heads * 1024 || heads > 16) {
    sectorsPerTrack = 31;
    heads = 16;
    tracks = Math.floor(sectors / sectorsPerTrack);
  }
  if (tracks >= heads * 1024) {
    sectorsPerTrack = 63;
    heads = 16;
    tracks = Math.floor(sectors / sectorsPerTrack);
  }
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
}
