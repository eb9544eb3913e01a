import { describe, expect, it } from '@jest/globals';
import { commandWords } from '../../src/lib/command-words.ts';

describe('commandWords', () => {
  it.each([
    ['vault read  mabs', ['vault', 'read', 'mabs']],
    [String.raw`"C:\Program Files\vault.exe" read "a \"b\""`, [String.raw`C:\Program Files\vault.exe`, 'read', 'a "b"']],
    [String.raw`C:\tools\v.exe C:\dir\ `, [String.raw`C:\tools\v.exe`, 'C:\\dir\\']],
    [`pass 'it is' --x='y z'`, ['pass', 'it is', '--x=y z']],
    ['echo $HOME `id` ; rm *', ['echo', '$HOME', '`id`', ';', 'rm', '*']],
    [`a ""`, ['a', '']],
  ])('parts %j', (text, words) => expect(commandWords(text)).toEqual(words));

  it.each(['', '   ', `a 'b`, `"a`])('refuses %j', (text) =>
    expect(() => commandWords(text)).toThrow(expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE' })),
  );
});
