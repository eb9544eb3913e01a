import picomatch from 'picomatch';
import { MabsError } from '../lib/errors.ts';

/** What a pattern is held against. */
export interface NamedPlace {
  /** The volume's: `/disk0/p2`. */
  readonly address: string;
  /** Inside the volume; begins with `/`. */
  readonly path: string;
  /** Case counts for nothing, as in Windows. */
  readonly caseless: boolean;
}

/** No name of any system is longer; a longer pattern matches nothing, and would cost. */
const MOST_PATTERN = 4096;

/**
 * What a pattern matches: `*` any characters of one name, `?` one, `[…]` one of some, `{a,b}` either, `**` any number of directories.
 * A pattern without `/` is held against names, anywhere; one with `/` against whole paths, within their volume or with its address.
 * Names that begin with a dot are names like any other, brackets of any kind too where the name is written out.
 */
export function namePattern(glob: string): (place: NamedPlace) => boolean {
  if (glob === '' || glob.length > MOST_PATTERN || glob.includes('\0')) throw new PatternUnreadableError(glob);
  const bare = glob.replace(/^\/+/, '');
  const exact = matcherOf(bare, 's');
  const caseless = matcherOf(bare, 'is');
  const matches = (place: NamedPlace, text: string) => (place.caseless ? caseless : exact)(text);
  if (!glob.includes('/')) return (place) => matches(place, place.path.slice(place.path.lastIndexOf('/') + 1));
  return (place) => matches(place, place.path.slice(1)) || matches(place, `${place.address}${place.path}`.slice(1));
}

function matcherOf(glob: string, flags: string): (text: string) => boolean {
  try {
    // `(1)` is what many a copy is called, not a group.
    const expression = picomatch.makeRe(glob.replace(/(?<!\\)[()]/g, '\\$&'), {
      dot: true,
      nonegate: true,
      noextglob: true,
      windows: false,
      flags,
    });
    const fold = (text: string) => (flags.includes('i') ? text.toLowerCase() : text);
    const literal = fold(glob);
    return (text) => expression.test(text) || fold(text) === literal;
  } catch (error) {
    throw new PatternUnreadableError(glob, { cause: error });
  }
}

export class PatternUnreadableError extends MabsError {
  readonly code = 'MABS-PATTERN-UNREADABLE';
  readonly hint =
    "Write it as '*.docx' for names anywhere, or '/Users/**/*.docx' for whole paths; quote it, so that the shell leaves it alone.";
  override readonly kind = 'usage';
  constructor(pattern: string, options?: ErrorOptions) {
    super(`"${pattern.slice(0, 80)}" is no pattern for names`, options);
  }
}
