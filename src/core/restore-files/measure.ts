import type { FileNode } from '../../filesystems/file-system.ts';
import { dataLength } from './copy-content.ts';
import type { PlannedFiles } from './planned-files.ts';
import type { TreeSource } from './restore-context.ts';
import type { Selected } from './selections.ts';
import { walkTree } from './walk-tree.ts';

/** Files from this size on are asked how much of them is data; smaller ones count whole. */
const LARGE_BYTES = 64 * 1024 * 1024;

export interface Measured {
  readonly files: number;
  readonly bytes: number;
}

/** How much there is to write, as far as it can be read. With `planned`, lists it there. */
export async function measure(selected: readonly Selected[], signal: AbortSignal | undefined, planned?: PlannedFiles): Promise<Measured> {
  let files = 0;
  let bytes = 0;
  for (const one of selected) {
    if (one.type === 'tree') {
      const sum = await measureTree(one, signal, planned);
      files += sum.files;
      bytes += sum.bytes;
      continue;
    }
    const length = one.type === 'disk' ? one.disk.dataBytes : await dataLength(one.content, signal);
    files += 1;
    bytes += length;
    await planned?.addImage(one);
  }
  return { files, bytes };
}

async function measureTree(source: TreeSource, signal: AbortSignal | undefined, planned?: PlannedFiles): Promise<Measured> {
  let files = 0;
  let bytes = 0;
  const walk = { skipped: false, ...(source.omit && { omit: source.omit }) };
  const start = { place: { name: source.as, parent: undefined }, node: source.node };
  for await (const visit of walkTree(source.system, start, walk, signal)) {
    if (visit.type === 'leave') continue;
    if (visit.type === 'failed') {
      planned?.addFailed(source, visit.place, visit.error);
      continue;
    }
    const { node, place } = visit;
    await planned?.addNode(source, place, node);
    if (node.type !== 'file') continue;
    files += 1;
    bytes += await bytesOf(source, node, signal);
  }
  return { files, bytes };
}

/** What cannot be read is told when it is its turn. */
async function bytesOf({ system }: TreeSource, node: FileNode, signal: AbortSignal | undefined): Promise<number> {
  const streams = node.streams?.reduce((sum, { size }) => sum + size, 0) ?? 0;
  if (node.size < LARGE_BYTES || node.unreadable !== undefined) return node.size + streams;
  try {
    return (await dataLength(await system.open(node), signal)) + streams;
  } catch (error) {
    if (signal?.aborted) throw error;
    return streams;
  }
}
