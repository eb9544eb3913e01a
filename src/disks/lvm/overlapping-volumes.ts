/** A logical volume as far as it matters here: what each of its stripes begins with, and how long they are together. */
interface Laid {
  readonly name: string;
  readonly segments: readonly {
    readonly length: number;
    readonly stripes: readonly { readonly volume: string; readonly position: number }[];
  }[];
}

interface Claim {
  readonly place: number;
  readonly start: number;
  readonly end: number;
}

/** Says of logical volumes that lie on the same bytes of a physical one why they cannot be read: LVM makes none, their description is damaged. */
export function withoutOverlaps<Volume extends Laid>(volumes: readonly Volume[]): (Volume & { readonly unreadable?: string })[] {
  const reasons = new Map<number, string>();
  for (const claims of claimsOf(volumes).values()) {
    let furthest: Claim | undefined;
    for (const claim of claims.toSorted((a, b) => a.start - b.start)) {
      if (furthest && claim.start < furthest.end) {
        for (const [one, other] of [
          [claim, furthest],
          [furthest, claim],
        ] as const) {
          reasons.set(one.place, `its description is damaged: it lies on the same bytes as “${volumes[other.place]!.name}”`);
        }
      }
      if (!furthest || claim.end > furthest.end) furthest = claim;
    }
  }
  return volumes.map((volume, place) => {
    const unreadable = reasons.get(place);
    return unreadable === undefined ? volume : { ...volume, segments: [], unreadable };
  });
}

/** Which bytes of each physical volume are whose. */
function claimsOf(volumes: readonly Laid[]): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const [place, { segments }] of volumes.entries()) {
    for (const { length, stripes } of segments) {
      for (const { volume, position } of stripes) {
        const own = claims.get(volume) ?? [];
        claims.set(volume, own);
        own.push({ place, start: position, end: position + length / stripes.length });
      }
    }
  }
  return claims;
}
