import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Codec } from '../../../src/pool/block.ts';
import { codeBlock, decodeBlock, looksIncompressible } from '../../../src/pool/engine/block-coder.ts';
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

  it('refuses to unfold more than a block has', () => {
    expect(() => decodeBlock(codeBlock(text, 1), 1000)).toThrow();
  });
});
