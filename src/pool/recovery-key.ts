import { createHash } from 'node:crypto';

/** Letters and digits that are not mistaken for each other on paper (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP = 5;
const KEY_BYTES = 32;
const CHECK_BYTES = 2;

/** A master key to be written down: 55 characters in groups of five, the last bytes a checksum against typing errors. */
export function formatRecoveryKey(master: Uint8Array): string {
  const bytes = Buffer.concat([master, checksum(master)]);
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(pending >>> bits) & 31];
      pending &= (1 << bits) - 1;
    }
  }
  if (bits > 0) text += ALPHABET[(pending << (5 - bits)) & 31];
  return (text.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-');
}

/** The master key of a recovery key as typed (case, spaces and hyphens do not matter), or undefined when it is none. */
export function parseRecoveryKey(text: string): Uint8Array | undefined {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const expected = Math.ceil(((KEY_BYTES + CHECK_BYTES) * 8) / 5);
  if (letters.length !== expected || [...letters].some((letter) => !ALPHABET.includes(letter))) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let pending = 0;
  for (const letter of letters) {
    pending = (pending << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((pending >>> bits) & 255);
      pending &= (1 << bits) - 1;
    }
  }
  const master = Uint8Array.from(bytes.slice(0, KEY_BYTES));
  return checksum(master).equals(Buffer.from(bytes.slice(KEY_BYTES))) ? master : undefined;
}

function checksum(master: Uint8Array): Buffer {
  return createHash('sha256').update('mabs recovery key').update(master).digest().subarray(0, CHECK_BYTES);
}
