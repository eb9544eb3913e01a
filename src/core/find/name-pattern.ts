import { MabsError } from '../../lib/errors.ts';
import { type Glob, parseGlob } from '../../lib/glob.ts';

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
  const exact = globOf(glob, false);
  const caseless = globOf(glob, true);
  const namesOf = (path: string) => path.split('/').slice(1);
  return ({ address, path, caseless: isCaseless }) => {
    const { matches } = isCaseless ? caseless : exact;
    return matches(namesOf(path)) || (glob.includes('/') && matches(namesOf(`${address}${path}`)));
  };
}

function globOf(glob: string, ignoreCase: boolean): Glob {
  try {
    return parseGlob(glob, { ignoreCase });
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
