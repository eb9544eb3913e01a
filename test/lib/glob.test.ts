import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseGlob } from '../../src/lib/glob.ts';

const matches = (glob: string, path: string, ignoreCase = false) => parseGlob(glob, { ignoreCase }).matches(path.split('/'));

describe('a pattern of names', () => {
  it.each([
    ['*.txt', 'a/notes.txt', true],
    ['*.txt', 'a.txt/notes', false],
    ['n?tes', 'notes', true],
    ['n?tes', 'ntes', false],
    ['?', '😀', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['[]]', ']', true],
    ['[-a]', '-', true],
    ['[abc', '[abc', true],
    ['{a,b}.{c,d}', 'b.c', true],
    ['{a,b}.{c,d}', 'b.e', false],
    ['{a}', '{a}', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/m/**/z', 'a/m/b/m/c/z', true],
    ['a/**/z', 'b/z', false],
    ['a/**', 'a/b/c', true],
    ['a/*', 'a/b/c', false],
    ['[1] a.txt', '[1] a.txt', true],
  ])('%s beside %s: %s', (glob, path, wanted) => expect(matches(glob, path)).toBe(wanted));

  it('passes by case when told to', () => {
    expect(matches('ÜBER*.TXT', 'über größe.txt', true)).toBe(true);
    expect(matches('[A-F]*', 'beta', true)).toBe(true);
    expect(matches('ÜBER*', 'über', false)).toBe(false);
  });

  it('means what a regular expression of the same meaning does', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(word, name, (glob, text) => {
        if (glob === '**') return;
        const expression = new RegExp(`^${glob.replaceAll('?', '.').replaceAll(/\*+/g, '.*')}$`);
        expect(matches(glob, text)).toBe(expression.test(text));
      }),
    );
  });

  it('comes back at once where a matcher that tried each way of many stars never would', () => {
    expect(matches(`${'*a'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false);
    expect(matches(`${'**/a/'.repeat(50)}b`, 'a/'.repeat(2000).slice(0, -1))).toBe(false);
  });

  it.each([[''], ['/'], ['x'.repeat(10_001)], ['{a,b}'.repeat(12)]])('refuses what is none', (glob) => {
    expect(() => parseGlob(glob)).toThrow(expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE' }));
  });
});
