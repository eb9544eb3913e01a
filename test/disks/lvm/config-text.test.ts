import { describe, expect, it } from '@jest/globals';
import { type ConfigSection, parseConfigText } from '../../../src/disks/lvm/config-text.ts';

const plain = (section: ConfigSection | undefined): unknown =>
  section && Object.fromEntries([...section].map(([name, value]) => [name, value instanceof Map ? plain(value) : value]));

describe('the text format of LVM', () => {
  it('is sections of values, in any white space, with comments', () => {
    const text =
      '# made by hand\nvg {\n\tid="a-b" # no comment in "here"\nseqno =12\nempty=[]\nlist = ["x", 1 ,\n2]\nsub{ kind = striped }}\nversion = 1';
    expect(plain(parseConfigText(text))).toEqual({
      vg: { id: 'a-b', seqno: 12, empty: [], list: ['x', 1, 2], sub: { kind: 'striped' } },
      version: 1,
    });
  });

  it('takes the character behind a backslash as it is', () => {
    expect(plain(parseConfigText(String.raw`a = "say \"it\" \\ # [x]"`))).toEqual({ a: String.raw`say "it" \ # [x]` });
  });

  it('keeps names that JavaScript uses itself', () => {
    expect([...parseConfigText('__proto__ { constructor = 1 }')!.keys()]).toEqual(['__proto__']);
  });

  it.each(['a', 'a =', 'a = "open', 'a = [1', 'a = [1 2]', 'a { b = 1', '}', 'a = {', '= 1', 'a = 1 }', '"', 'a = "b\\'])(
    'is not %j',
    (text) => {
      expect(parseConfigText(text)).toBeUndefined();
    },
  );

  it('ends on what is endless', () => {
    expect(parseConfigText('a {'.repeat(500_000))).toBeUndefined();
    expect(parseConfigText(`a = "${'\\x'.repeat(1_000_000)}`)).toBeUndefined();
    expect(parseConfigText(`${'# \n'.repeat(500_000)}${' '.repeat(1_000_000)}a = 1`)?.get('a')).toBe(1);
    expect(parseConfigText('[,'.repeat(500_000))).toBeUndefined();
    expect(parseConfigText(`a = ${'9'.repeat(1_000_000)}`)?.get('a')).toBe(Number.POSITIVE_INFINITY);
  });
});
