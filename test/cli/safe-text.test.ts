import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { safeJson, safeText, safeTexts } from '../../src/cli/safe-text.ts';

describe('safeText', () => {
  it.each([
    ['web1', 'web1'],
    ['Überwachung ☃ 日本', 'Überwachung ☃ 日本'],
    ['C:\\vm\\disk.vhdx', 'C:\\vm\\disk.vhdx'],
    ['\u001b[31mred', '\\e[31mred'],
    ['a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['bell\u0007', 'bell\\u{7}'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['\u009b2J', '\\u{9b}2J'],
    ['half \ud800', 'half \\u{d800}'],
    ['whole 😀', 'whole 😀'],
  ])('shows %j as %s', (text, shown) => expect(safeText(text)).toBe(shown));

  it('leaves nothing that a terminal would obey, in any text', () => {
    const obeyed = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(safeText(text)).not.toMatch(obeyed)));
  });

  it('reaches every text of a result', () => {
    expect(safeTexts({ 'k\u0007': [{ name: '\u001b' }, 1, null, undefined, true] })).toEqual({
      'k\\u{7}': [{ name: '\\e' }, 1, null, undefined, true],
    });
  });
});

describe('safeJson', () => {
  it('is one line that reads back as the same value and holds nothing to obey', () => {
    const obeyed = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const json = safeJson({ value, text });
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text })));
        expect(json).not.toMatch(obeyed);
      }),
    );
  });

  it('indents for people', () => expect(safeJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}'));
});
