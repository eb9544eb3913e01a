import type { Volume } from './volume.ts';

/** `length` bytes at `offset`, or `undefined` when the volume ends before. */
export async function readInside(volume: Volume, offset: number, length: number): Promise<Uint8Array | undefined> {
  if (length === 0 || !Number.isSafeInteger(offset) || offset < 0 || length > volume.sizeBytes - offset) return undefined;
  const into = new Uint8Array(length);
  await volume.read(offset, into);
  return into;
}

/** Whether `bytes` hold this text (one byte a character) at `at`. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  return at + text.length <= bytes.length && Array.from(text).every((character, index) => bytes[at + index] === character.charCodeAt(0));
}

/** A label in UTF-8, ended by a zero byte or by its field, without trailing spaces; `undefined` when nothing remains. */
export function labelText(field: Uint8Array): string | undefined {
  const end = field.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trimEnd();
  return text === '' ? undefined : text;
}

/** A label in UTF-16LE, likewise. */
export function wideLabelText(field: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-16le').decode(field).split('\0', 1)[0]!.trimEnd();
  return text === '' ? undefined : text;
}

/** `{ label }` where there is one. */
export const withLabel = (name: string, label: string | undefined) => (label === undefined ? { name } : { name, label });

/** A directory that lies in a chain of clusters, at most this much of it: enough for where a label stands. */
const MAX_CHAIN_BYTES = 65_536;

/**
 * The clusters of a chain from `first` on, joined, up to 64 KiB. `positionOf` says where a cluster lies, `next` where the number of
 * the one that follows stands (four bytes). Ends at what is no cluster; `undefined` when the first one is not on the volume.
 */
export async function readChain(
  volume: Volume,
  chain: { readonly first: number; readonly clusterSize: number; positionOf(cluster: number): number; next(cluster: number): number },
): Promise<Uint8Array | undefined> {
  const clusters: Uint8Array[] = [];
  let cluster = chain.first;
  do {
    const bytes = await readInside(volume, chain.positionOf(cluster), Math.min(chain.clusterSize, MAX_CHAIN_BYTES));
    if (!bytes) break;
    clusters.push(bytes);
    const link = await readInside(volume, chain.next(cluster), 4);
    cluster = link ? new DataView(link.buffer).getUint32(0, true) & 0x0fffffff : 0;
  } while (cluster >= 2 && clusters.length * chain.clusterSize < MAX_CHAIN_BYTES);
  return clusters.length > 0 ? Buffer.concat(clusters) : undefined;
}
