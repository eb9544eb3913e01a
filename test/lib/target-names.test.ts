import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nameToBytes } from '../../src/lib/byte-names.ts';
import { type NameRules, nameKey, originalName, targetName, twinName } from '../../src/lib/target-names.ts';
import { HOSTILE_CLASSES, hostileNames } from '../builders/hostile-names.ts';
import { windowsNameFault } from '../builders/windows-names.ts';

const linux: NameRules = { kind: 'posix', caseSensitive: true, anyBytes: true, longNames: false };
const windows: NameRules = { kind: 'windows', caseSensitive: false, anyBytes: false, longNames: true };

/** Names with everything that a rule may look at, and halves of surrogate pairs. */
const anyName = () =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...'%{}~#.:/\\ \0\u001f', 'CON', 'nul', '..', '\ud800', '\udcff', '\u{1f600}', 'COM1', '~1', '.txt'),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.constantFrom(...HOSTILE_CLASSES.filter((name) => name.length < 300)),
      ),
      { maxLength: 5 },
    )
    .map((parts) => parts.join(''));

describe('a name in the target', () => {
  it.each([
    ['notes.txt', 'notes.txt'],
    ['100% {sure}.txt', '100% {sure}.txt'],
    ['a:b', 'a%{3A}b'],
    ['CON', '%{43}ON'],
    ['com1.log', '%{63}om1.log'],
    ['LPT\u00b9 .x', '%{4C}PT\u00b9 .x'],
    ['conin$', '%{63}onin$'],
    ['trailing.', 'trailing%{2E}'],
    ['trailing ', 'trailing%{20}'],
    ['', '%{}'],
    ['.', '%{2E}'],
    ['..', '.%{2E}'],
    ['\ud800', '%{D800}'],
    ['%{3A}', '%{25}{3A}'],
    ['PROGRA~1', 'PROGRA%{7E}1'],
    ['console', 'console'],
    ['comet.txt', 'comet.txt'],
    ['a\u0007', 'a%{07}'],
  ])('on Windows is, for %j, %j', (name, mapped) => expect(targetName(name, windows, 'utf16')).toBe(mapped));

  it.each([
    ['a:b*?"<>|\\', 'a:b*?"<>|\\'],
    ['CON', 'CON'],
    ['trailing. ', 'trailing. '],
    ['a\nb', 'a\nb'],
    ['a/b', 'a%{2F}b'],
    ['\0', '%{00}'],
    ['..', '.%{2E}'],
    ['\ud800', '%{D800}'],
    ['\udcff', '%{DCFF}'],
  ])('on Linux is, for %j, %j', (name, mapped) => expect(targetName(name, linux, 'utf16')).toBe(mapped));

  it('keeps bytes that are no UTF-8 where the target keeps any bytes', () => {
    expect(targetName('a\udcff', linux, 'bytes')).toBe('a\udcff');
    expect([...nameToBytes('a\udcff')]).toEqual([0x61, 0xff]);
    expect(targetName('a\udcff', { ...linux, anyBytes: false }, 'bytes')).toBe('a%{DCFF}');
    expect(targetName('a\udcff', windows, 'bytes')).toBe('a%{DCFF}');
  });

  it('reads back, whatever it was', () =>
    fc.assert(
      fc.property(
        anyName(),
        fc.constantFrom(linux, windows),
        fc.constantFrom('bytes' as const, 'utf16' as const),
        (name, rules, origin) => {
          const mapped = targetName(name, rules, origin);
          const twin = twinName(mapped, 17, rules);
          const known = [name, undefined];
          expect(known).toContain(originalName(mapped));
          expect(known).toContain(originalName(twin));
          if (!mapped.includes('%{#')) expect(originalName(mapped)).toBe(name);
          if (!twin.includes('%{#')) expect(originalName(twin)).toBe(name);
        },
      ),
      { numRuns: 800 },
    ));

  it('is one that Windows takes, whatever it was', () =>
    fc.assert(
      fc.property(anyName(), fc.integer({ min: 2, max: 9_999_999 }), (name, number) => {
        const mapped = targetName(name, windows, 'utf16');
        expect({ name, fault: windowsNameFault(mapped) }).toEqual({ name, fault: undefined });
        expect({ name, fault: windowsNameFault(twinName(mapped, number, windows)) }).toEqual({ name, fault: undefined });
      }),
      { numRuns: 800 },
    ));

  it('is one that Linux takes, whatever it was', () => {
    for (const name of hostileNames()) {
      for (const mapped of [targetName(name, linux, 'bytes'), twinName(targetName(name, linux, 'bytes'), 9_999_999, linux)]) {
        const bytes = nameToBytes(mapped);
        expect(bytes.length).toBeGreaterThan(0);
        expect(bytes.length).toBeLessThanOrEqual(255);
        expect(bytes.includes(0) || bytes.includes(0x2f) || mapped === '.' || mapped === '..').toBe(false);
      }
    }
  });

  it('stays apart from every other one of another spelling', () =>
    fc.assert(
      fc.property(anyName(), anyName(), fc.constantFrom(linux, windows), (one, other, rules) => {
        fc.pre(one !== other);
        expect(targetName(one, rules, 'utf16')).not.toBe(targetName(other, rules, 'utf16'));
      }),
    ));

  it('keeps its extension when it is cut, and says so', () => {
    const mapped = targetName(`${'\u65e5'.repeat(200)}.docx`, linux, 'utf16');
    expect(mapped).toMatch(/^\u65e5+%\{#[0-9a-f]{24}\}\.docx$/);
    expect(originalName(mapped)).toBeUndefined();
  });
});

describe('the key of a name', () => {
  it.each([
    ['Twin', 'tWIN'],
    ['caf\u00e9', 'cafe\u0301'],
    ['stra\u00dfe', 'STRASSE'],
    ['.git', '.g\u200cit'],
    ['\u212a', 'k'],
    ['\u03c2', '\u03a3'],
  ])('is one for %j and %j where the target tells no case', (one, other) => {
    expect(nameKey(one, windows)).toBe(nameKey(other, windows));
    expect(nameKey(one, linux)).not.toBe(nameKey(other, linux));
  });
});
