import type { Chance } from './disk-fuzzer.ts';

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e308,
  '',
  ' ',
  '../..',
  '\u0000',
  'x'.repeat(5000),
  [],
  {},
  [[]],
];
const KEYS = ['__proto__', 'constructor', '', 'version', 'kind', 'id'] as const;

/** A copy of a JSON value with one to three of its places made wrong: another value, another type, a key too many or too few. */
export function spoilJson(value: unknown, chance: Chance): unknown {
  const copy: { it: unknown } = { it: structuredClone(value) };
  for (let times = 1 + chance.below(3); times > 0; times -= 1) spoilPlace(copy, chance);
  return copy.it;
}

function spoilPlace(top: { it: unknown }, chance: Chance): void {
  const places = placesOf(top);
  const { holder, key } = places[chance.below(places.length)]!;
  switch (chance.below(5)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if (holder !== top) delete holder[key];
      break;
    case 1:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
      else if (holder !== top) put(holder, KEYS[chance.below(KEYS.length)]!, 1);
      break;
    case 2: {
      const other = places[chance.below(places.length)]!;
      put(holder, key, structuredClone(other.holder[other.key]));
      break;
    }
    default:
      put(holder, key, VALUES[chance.below(VALUES.length)]);
  }
}

/** Also for a key that would otherwise be the object's prototype. */
function put(holder: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesOf(top: { it: unknown }): Place[] {
  const places: Place[] = [];
  const visit = (holder: object) => {
    for (const [key, value] of Object.entries(holder)) {
      places.push({ holder: holder as Record<string, unknown>, key });
      if (typeof value === 'object' && value !== null && places.length < 500) visit(value);
    }
  };
  visit(top);
  return places;
}
