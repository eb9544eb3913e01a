/** Neighbouring sectors that lie in the same file: this one (`present`) or a parent. */
export interface SectorRun {
  readonly start: number;
  readonly count: number;
  readonly present: boolean;
}

/** Runs of equal bits among the sectors from `start` to `end`; bits count from the lowest of the first byte (MS-VHDX 2.5.2). */
export function* sectorRuns(bitmap: Uint8Array, start: number, end: number): Generator<SectorRun> {
  for (let at = start; at < end; ) {
    const present = bitAt(bitmap, at);
    const runEnd = endOfRun(bitmap, at, end, present);
    yield { start: at, count: runEnd - at, present };
    at = runEnd;
  }
}

/** Sets the bits of the sectors from `start` to `end`. */
export function setSectors(bitmap: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end) {
    if (at % 8 === 0 && end - at >= 8) {
      const bytes = Math.floor((end - at) / 8);
      bitmap.fill(0xff, at / 8, at / 8 + bytes);
      at += bytes * 8;
    } else {
      bitmap[at >>> 3]! |= 1 << (at & 7);
      at++;
    }
  }
}

function bitAt(bitmap: Uint8Array, sector: number): boolean {
  return ((bitmap[sector >>> 3]! >>> (sector & 7)) & 1) === 1;
}

function endOfRun(bitmap: Uint8Array, start: number, end: number, present: boolean): number {
  const uniform = present ? 0xff : 0;
  let at = start + 1;
  while (at < end) {
    if (at % 8 === 0 && bitmap[at >>> 3] === uniform) at += 8;
    else if (bitAt(bitmap, at) === present) at++;
    else return at;
  }
  return Math.min(at, end);
}
