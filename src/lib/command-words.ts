import { UnreadableValueError } from './unreadable-value.ts';

/**
 * The words of a command line that runs without a shell: blanks part them, `'…'` and `"…"` keep them together, and `\"` is a quote
 * inside `"…"`. Any other backslash is itself, as Windows paths need it; no variable and no wildcard means anything.
 */
export function commandWords(text: string): string[] {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = /^(?:[^\s'"]|'[^']*'|"(?:\\"|[^"])*")+/.exec(rest);
    if (!match) throw new UnreadableValueError('a command', text, '"C:\\\\Program Files\\\\vault.exe" read mabs, with every quote closed');
    words.push(
      match[0].replaceAll(
        /'([^']*)'|"((?:\\"|[^"])*)"/g,
        (_, single?: string, double?: string) => single ?? double!.replaceAll('\\"', '"'),
      ),
    );
    rest = rest.slice(match[0].length).trimStart();
  }
  if (words.length === 0) throw new UnreadableValueError('a command', text, 'vault read mabs');
  return words;
}
