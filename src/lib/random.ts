import { randomBytes, randomUUID } from 'node:crypto';

/** Where chance comes from; tests replace it. */
export interface Random {
  bytes(length: number): Uint8Array;
  uuid(): string;
}

export const systemRandom: Random = { bytes: (length) => randomBytes(length), uuid: () => randomUUID() };
