/**
 * Names of systems that keep bytes (ext, XFS) as text and back, without loss: UTF-8, with each byte that is none as U+DC00 + byte, a
 * lone surrogate that no UTF-8 text contains (as Python's PEP 383 does). Bytes that would decode to such surrogates stay bytes.
 */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name's bytes. */
export function nameFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return piecewise(bytes);
  }
}

/** The bytes of a name. A surrogate that stands for no byte is written as WTF-8 would: three bytes. */
export function nameToBytes(name: string): Uint8Array {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts = Array.from(name, (character) => {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) return Uint8Array.of(code - 0xdc00);
    if (code >= 0xd800 && code <= 0xdfff) return Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    return Buffer.from(character);
  });
  return Buffer.concat(parts);
}

function piecewise(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!);
    const piece = length > 0 ? decoded(bytes.subarray(at, at + length), length) : undefined;
    text += piece ?? String.fromCharCode(0xdc00 + bytes[at]!);
    at += piece === undefined ? 1 : length;
  }
  return text;
}

function decoded(piece: Uint8Array, length: number): string | undefined {
  if (piece.length < length) return undefined;
  try {
    return strict.decode(piece);
  } catch {
    return undefined;
  }
}

/** Bytes of a UTF-8 sequence by its first byte; 0 for a byte that begins none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}
