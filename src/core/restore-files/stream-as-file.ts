import type { FileNode, FileSystem } from '../../filesystems/file-system.ts';

/** One alternate data stream of a file as a file by itself, with the times of the file that it belongs to. */
export function streamAsFile(system: FileSystem, file: FileNode, stream: string): { system: FileSystem; node: FileNode } {
  const size = file.streams?.find(({ name }) => name === stream)?.size ?? 0;
  const node: FileNode = { ...file, id: `${file.id}:${stream}`, type: 'file', size, links: 1, attributes: [], streams: [] };
  const alone: FileSystem = {
    info: system.info,
    names: system.names,
    root: async () => node,
    async *list() {},
    find: async () => undefined,
    open: () => system.open(file, stream),
    // They are the file's.
    extras: async () => ({}),
    allocation: async () => [],
    async *free() {},
  };
  return { system: alone, node };
}
