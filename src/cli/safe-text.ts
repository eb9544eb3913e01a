/**
 * What a terminal would obey instead of showing: C0 and C1 controls, DEL, marks and overrides of the writing direction, line
 * separators, invisible joiners of the byte order mark kind, and halves of surrogate pairs.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** A name or message from outside as one harmless line: what a terminal would obey is shown as `\e`, `\n`, `\u{202e}`, … */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** The same value with every text in it made safe (arrays and plain objects, all the way down). */
export function safeTexts<T>(value: T): T {
  if (typeof value === 'string') return safeText(value) as T;
  if (Array.isArray(value)) return value.map((item) => safeTexts(item)) as T;
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [safeText(key), safeTexts(item)])) as T;
}

/** JSON of a value in which nothing is left for a terminal to obey; it reads back as the same value. */
export function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? 'null';
  // What JSON.stringify itself wrote needs no care: its line breaks and indent.
  return json.replace(UNSAFE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
