import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { BlockKind, Codec, type PackWriter, type PoolKeys } from '../../src/pool/block.ts';
import { createDigester } from '../../src/pool/digest.ts';

/** Repeatable bytes that do not compress. */
export function someBytes(seed: string, length: number): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index * 32 < length; index += 1) pieces.push(createHash('sha256').update(`${seed}/${index}`).digest());
  return Buffer.concat(pieces).subarray(0, length);
}

/** Adds a block, compressed when that helps; answers its digest. */
export async function addBlock(writer: PackWriter, raw: Uint8Array, keys?: PoolKeys, kind: BlockKind = BlockKind.data): Promise<Buffer> {
  const digest = createDigester(keys)(raw);
  const compressed = zstdCompressSync(raw);
  const helps = compressed.length < raw.length;
  const coded = helps ? compressed : raw;
  await writer.add(digest, { kind, codec: helps ? Codec.zstd : Codec.stored, rawLength: raw.length, coded });
  return digest;
}

export const someKeys: PoolKeys = { id: new Uint8Array(32).fill(1), seal: new Uint8Array(32).fill(2) };
export const somePoolId: Uint8Array = new Uint8Array(16).fill(7);
