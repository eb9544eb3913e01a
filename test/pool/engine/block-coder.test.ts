import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Codec } from '../../../src/pool/block.ts';
import { codeBlock, decodeBlock, decodesTo, looksIncompressible } from '../../../src/pool/engine/block-coder.ts';
import { someBytes } from '../../builders/pool-blocks.ts';

const text = Buffer.alloc(262_144);
for (let at = 0; at < text.length; at += 20) text.write(`row ${at} of a table`, at);

describe('coding a block', () => {
  it('gives any block back', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20_000 }), fc.integer({ min: 1, max: 4 }), (piece, times) => {
        const block = Buffer.concat(Array.from({ length: times }, () => piece));
        expect(Buffer.from(decodeBlock(codeBlock(block, 1), block.length)).equals(block)).toBe(true);
      }),
    ));

  it('compresses text, and leaves noise as it is without trying', () => {
    expect(codeBlock(text, 1)).toMatchObject({ codec: Codec.zstd });
    const noise = someBytes('noise', 262_144);
    expect(codeBlock(noise, 1)).toEqual({ codec: Codec.stored, coded: noise });
    expect(looksIncompressible(noise)).toBe(true);
    expect(looksIncompressible(text)).toBe(false);
  });

  it('stores no block longer than it was', () => {
    const short = someBytes('short', 700);
    expect(codeBlock(short, 1)).toEqual({ codec: Codec.stored, coded: short });
  });

  it('is told right from wrong by decoding it again', () => {
    const code = codeBlock(text, 1);
    const isText = (raw: Uint8Array) => text.equals(raw);
    expect(decodesTo(code, text.length, isText)).toBe(true);
    expect(decodesTo(code, text.length - 1, () => true)).toBe(false);
    for (let at = 0; at < code.coded.length; at += 97) {
      const flipped = Uint8Array.from(code.coded);
      flipped[at]! ^= 16;
      expect(decodesTo({ codec: code.codec, coded: flipped }, text.length, isText)).toBe(false);
    }
  });

  it('refuses to unfold more than a block has', () => {
    expect(() => decodeBlock(codeBlock(text, 1), 1000)).toThrow();
  });
});
