import { UnreadableValueError } from './unreadable-value.ts';

/** A pattern of names, as `find` takes it. */
export interface Glob {
  /** Whether it means a file that these names lead to. */
  matches(names: readonly string[]): boolean;
}

export interface GlobOptions {
  /** Upper and lower case are the same, as on Windows' file systems. */
  readonly ignoreCase?: boolean;
}

/** A part of a pattern that stands for one character, or for any number of them. */
type Token = { readonly any: 'many' } | { readonly any: 'one' } | { readonly test: (character: string) => boolean };
type Step = 'deep' | readonly Token[];

/** Patterns that the braces of one may come to. */
const MOST_ALTERNATIVES = 256;

/**
 * Reads a pattern: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of these or none of these, `{a,b}` either, `\` takes the next
 * character as it is. Without `/` it is held against the last name alone; with `/` against all names, where `**` stands for any number
 * of them. What is written exactly as the pattern matches too, brackets and all. Matching takes time in proportion to pattern × names,
 * whatever they hold. MABS-VALUE-UNREADABLE.
 */
export function parseGlob(text: string, { ignoreCase = false }: GlobOptions = {}): Glob {
  if (text === '' || text.length > 10_000) throw unreadable(text);
  const whole = text.includes('/');
  const patterns = alternatives(text).map((pattern) => stepsOf(pattern, (word) => tokens(word, ignoreCase)));
  if (patterns.some((steps) => steps.length === 0)) throw unreadable(text);
  patterns.push(stepsOf(text, (word) => Array.from(word, (character) => exactly(character, ignoreCase))));
  return { matches: (names) => patterns.some((steps) => matchesSteps(steps, whole ? names : names.slice(-1), ignoreCase)) };
}

function stepsOf(pattern: string, read: (word: string) => Token[]): Step[] {
  const words = pattern.split('/').filter((word) => word !== '');
  return words.map((word) => (word === '**' ? 'deep' : read(word)));
}

function unreadable(text: string): UnreadableValueError {
  return new UnreadableValueError(
    'a pattern of names',
    text.slice(0, 200),
    "'*.docx', 'Users/*/notes.txt', '**/backup-[0-9]*' or '*.{jpg,png}'",
  );
}

/** The patterns that a pattern with braces stands for. */
function alternatives(text: string): string[] {
  const open = braceAt(text);
  if (open === undefined) return [text];
  const parts = text.slice(open.start + 1, open.end).split(',');
  const all = parts.flatMap((part) => alternatives(`${text.slice(0, open.start)}${part}${text.slice(open.end + 1)}`));
  if (all.length > MOST_ALTERNATIVES) throw unreadable(text);
  return all;
}

/** The first pair of braces with a comma inside that holds no braces itself; others are plain characters. */
function braceAt(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /(?<!\\)\{([^{}]*,[^{}]*)\}/.exec(text);
  return match ? { start: match.index, end: match.index + match[0].length - 1 } : undefined;
}

function tokens(word: string, ignoreCase: boolean): Token[] {
  const characters = Array.from(word);
  const found: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '*') {
      found.push({ any: 'many' });
    } else if (character === '?') found.push({ any: 'one' });
    else if (character === '[') {
      const end = characters.indexOf(']', at + (characters[at + 1] === '!' ? 3 : 2));
      found.push(end < 0 ? exactly(character, ignoreCase) : { test: classOf(characters.slice(at + 1, end), ignoreCase) });
      if (end >= 0) at = end;
    } else {
      if (character === '\\' && at + 1 < characters.length) at++;
      found.push(exactly(characters[at]!, ignoreCase));
    }
  }
  return found;
}

function exactly(character: string, ignoreCase: boolean): Token {
  const wanted = fold(character, ignoreCase);
  return { test: (other) => other === wanted };
}

/** `a-z`, `abc`, `!a-z`. */
function classOf(inside: readonly string[], ignoreCase: boolean): (character: string) => boolean {
  const negated = inside[0] === '!' || inside[0] === '^';
  const body = negated ? inside.slice(1) : inside;
  const ranges: [number, number][] = [];
  for (let at = 0; at < body.length; at++) {
    const isRange = body[at + 1] === '-' && at + 2 < body.length;
    const [from, to] = [body[at]!, isRange ? body[at + 2]! : body[at]!].map((one) => fold(one, ignoreCase).codePointAt(0)!) as [
      number,
      number,
    ];
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return (character) => {
    const code = character.codePointAt(0)!;
    return ranges.some(([from, to]) => code >= from && code <= to) !== negated;
  };
}

/** Steps against names: `deep` takes any number of names. Greedy, falling back to the last `deep` alone, as `*` does within a name. */
function matchesSteps(steps: readonly Step[], names: readonly string[], ignoreCase: boolean): boolean {
  const fits = (step: Step, name: string) =>
    step !== 'deep' &&
    matchesName(
      step,
      Array.from(name, (one) => fold(one, ignoreCase)),
    );
  return greedy(steps, names, (step) => step === 'deep', fits);
}

function matchesName(pattern: readonly Token[], name: readonly string[]): boolean {
  const isMany = (token: Token) => 'any' in token && token.any === 'many';
  return greedy(pattern, name, isMany, (token, character) => ('any' in token ? true : token.test(character)));
}

/** Wildcard matching with one point to fall back to: pattern × text steps at most. */
function greedy<P, T>(
  pattern: readonly P[],
  text: readonly T[],
  isMany: (part: P) => boolean,
  fits: (part: P, item: T) => boolean,
): boolean {
  let at = 0;
  let fallback: { readonly pattern: number; text: number } | undefined;
  for (let position = 0; position < text.length; ) {
    const part = pattern[at];
    if (at < pattern.length && isMany(part as P)) {
      fallback = { pattern: at + 1, text: position };
      at++;
    } else if (at < pattern.length && fits(part as P, text[position]!)) {
      at++;
      position++;
    } else if (fallback) {
      at = fallback.pattern;
      position = ++fallback.text;
    } else return false;
  }
  while (at < pattern.length && isMany(pattern[at]!)) at++;
  return at === pattern.length;
}

function fold(character: string, ignoreCase: boolean): string {
  return ignoreCase ? character.toUpperCase() : character;
}
