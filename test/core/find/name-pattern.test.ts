import { describe, expect, it } from '@jest/globals';
import { namePattern } from '../../../src/core/find/name-pattern.ts';

const at = (path: string, caseless = false) => ({ address: '/disk0/p2', path, caseless });

describe('a pattern for names', () => {
  it.each([
    ['*.txt', '/a/b/notes.txt', true],
    ['*.txt', '/a/b/notes.TXT', false],
    ['*.txt', '/a.txt/notes', false],
    ['*', '/.hidden', true],
    ['.bash*', '/home/ada/.bashrc', true],
    ['note?', '/notes', true],
    ['[ab].txt', '/b.txt', true],
    ['{report,invoice}*', '/2026/invoice 7', true],
    ['*', '/a\nb', true],
    ['report (1).docx', '/report (1).docx', true],
    ['*(1).docx', '/report (1).docx', true],
    ['[1] a+b.txt', '/[1] a+b.txt', true],
    ['!important', '/!important', true],
    ['!important', '/other', false],
    ['données*', '/données 2026', true],
    ['/Users/**/*.txt', '/Users/a.txt', true],
    ['/Users/**/*.txt', '/Users/x/y/a.txt', true],
    ['Users/*/a.txt', '/Users/x/a.txt', true],
    ['Users/*/a.txt', '/home/Users/x/a.txt', false],
    ['**/x/a.txt', '/home/Users/x/a.txt', true],
    ['/**/a.txt', '/a.txt', true],
    ['/disk0/p2/Users/**', '/Users/a', true],
    ['/disk0/p1/Users/**', '/Users/a', false],
    ['/disk*/p*/a', '/a', true],
  ])('%s beside %s: %s', (glob, path, wanted) => {
    expect(namePattern(glob)(at(path))).toBe(wanted);
  });

  it('passes by case where the volume does', () => {
    expect(namePattern('*.TXT')(at('/notes.txt', true))).toBe(true);
    expect(namePattern('/users/*')(at('/Users/Ada', true))).toBe(true);
    expect(namePattern('NOTES [1].txt')(at('/notes [1].TXT', true))).toBe(true);
  });

  it.each([[''], ['\0'], ['x'.repeat(5000)]])('refuses what is no pattern', (glob) => {
    expect(() => namePattern(glob)).toThrow(expect.objectContaining({ code: 'MABS-PATTERN-UNREADABLE' }));
  });
});
