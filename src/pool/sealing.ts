import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

/** Bytes that sealing adds: the tag of AES-256-GCM. */
export const TAG_BYTES = 16;

/** What a key is derived for; part of the derivation, so that no two purposes share a key. */
export type SealPurpose = 'mabs 1 pack' | 'mabs 1 index' | 'mabs 1 object';

/** The key of one object: HKDF-SHA256 of the pool's sealing key with the object's random salt. */
export function deriveObjectKey(sealKey: Uint8Array, salt: Uint8Array, purpose: SealPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', sealKey, salt, purpose, 32));
}

/** The nonce of the `counter`-th piece of a class; unique, since a key seals one object and an object's pieces are counted. */
export function pieceNonce(pieceClass: number, counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, pieceClass, true);
  view.setUint32(4, counter, true);
  return nonce;
}

/** Writes ciphertext and tag of `plain` into `into` at `offset`; answers how many bytes that were. */
export function sealInto(
  key: Uint8Array,
  nonce: Uint8Array,
  about: Uint8Array,
  plain: Uint8Array,
  into: Uint8Array,
  offset: number,
): number {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(about);
  into.set(cipher.update(plain), offset);
  cipher.final();
  into.set(cipher.getAuthTag(), offset + plain.length);
  return plain.length + TAG_BYTES;
}

/** The plain bytes, or undefined when they, the key, the nonce or what they are about is not what was sealed. */
export function unseal(key: Uint8Array, nonce: Uint8Array, about: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(about);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined; // The only way this fails is the tag.
  }
}
