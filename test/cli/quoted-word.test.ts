import { describe, expect, it } from '@jest/globals';
import { quotedWord } from '../../src/cli/quoted-word.ts';

describe('a word for the shell', () => {
  it.each([
    ['hv1/web@latest:/disk0/p2/a-b_c.txt', 'linux', 'hv1/web@latest:/disk0/p2/a-b_c.txt'],
    ['hv1/web@latest:/disk0/p2/a-b_c.txt', 'win32', 'hv1/web@latest:/disk0/p2/a-b_c.txt'],
    ['hv1/web@x:/p1/$(rm -rf) `x`', 'linux', "'hv1/web@x:/p1/$(rm -rf) `x`'"],
    ["it's", 'linux', "'it'\\''s'"],
    ["it's", 'win32', "'it''s'"],
    ['', 'linux', "''"],
    ['$HOME', 'linux', "'$HOME'"],
    // Braces and commas: bash makes two words of them, PowerShell a script block and a list.
    ['/p1/{a,b}', 'linux', "'/p1/{a,b}'"],
    ['hv1/{guid}@latest', 'win32', "'hv1/{guid}@latest'"],
    ['Mon,Tue', 'linux', 'Mon,Tue'],
    ['Mon,Tue', 'win32', "'Mon,Tue'"],
    ['@args', 'win32', "'@args'"],
  ] as const)('%s on %s is %s', (word, platform, expected) => {
    expect(quotedWord(word, platform)).toBe(expected);
  });
});
