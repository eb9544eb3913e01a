/** A value of LVM's text format. Numbers are as JavaScript reads them: whoever uses one checks that it is a safe integer. */
export type ConfigValue = string | number | readonly (string | number)[] | ConfigSection;

/** `name { … }`: values and sections by name; of a name that stands twice the first counts. */
export type ConfigSection = ReadonlyMap<string, ConfigValue>;

/** Descriptions nest three levels deep. */
const MAX_DEPTH = 16;

const SPACE = /\s*/y;
const NUMBER = /[+-]?\d+(?:\.\d*)?(?![^\s#={}[\],"])/y;
const BARE = /[^\s#={}[\],"]+/y;

/** Reads LVM's text format (lvm.conf(5), Syntax): `undefined` for what is not in it. Takes time in proportion to the text. */
export function parseConfigText(text: string): ConfigSection | undefined {
  const reader = new ConfigReader(text);
  try {
    return reader.section(0);
  } catch (error) {
    if (error instanceof NotConfigText) return undefined;
    throw error;
  }
}

export const isSection = (value: ConfigValue | undefined): value is ConfigSection => value instanceof Map;

/** Only ever seen within this file. */
class NotConfigText extends Error {}

class ConfigReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** All that stands in a section, up to its brace; the outermost one ends with the text. */
  section(depth: number): ConfigSection {
    if (depth > MAX_DEPTH) throw new NotConfigText();
    const found = new Map<string, ConfigValue>();
    for (;;) {
      const next = this.#peek();
      if (depth === 0 ? next === undefined : next === '}') break;
      const name = this.#name();
      const value = this.#taken('{') ? this.section(depth + 1) : this.#assigned();
      if (!found.has(name)) found.set(name, value);
    }
    if (depth > 0) this.#at += 1;
    return found;
  }

  #assigned(): ConfigValue {
    if (!this.#taken('=')) throw new NotConfigText();
    if (!this.#taken('[')) return this.#scalar();
    const list: (string | number)[] = [];
    while (!this.#taken(']')) {
      list.push(this.#scalar());
      if (!this.#taken(',') && this.#peek() !== ']') throw new NotConfigText();
    }
    return list;
  }

  #scalar(): string | number {
    this.#peek();
    const number = this.#match(NUMBER);
    return number !== undefined ? Number(number[0]) : this.#name();
  }

  #name(): string {
    if (this.#peek() === '"') return this.#quoted();
    const bare = this.#match(BARE);
    if (!bare) throw new NotConfigText();
    return bare[0];
  }

  /** By hand: an expression of unlimited length would need as much of a stack. A backslash takes the next character as it is. */
  #quoted(): string {
    const from = this.#at + 1;
    let end = from;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) throw new NotConfigText();
    this.#at = end + 1;
    return this.#text.slice(from, end).replace(/\\(.)/gs, '$1');
  }

  #taken(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  /** The next character that is neither space nor comment. */
  #peek(): string | undefined {
    for (;;) {
      this.#match(SPACE);
      if (this.#text[this.#at] !== '#') return this.#text[this.#at];
      const line = this.#text.indexOf('\n', this.#at);
      this.#at = line < 0 ? this.#text.length : line;
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found) this.#at = pattern.lastIndex;
    return found;
  }
}
