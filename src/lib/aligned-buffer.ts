const PAGE = 65_536;

// Node.js has it; the types without a browser's library do not.
declare const WebAssembly: {
  Memory: new (options: { initial: number; maximum: number; shared: true }) => { readonly buffer: SharedArrayBuffer };
};

/**
 * A buffer that begins on a memory page, zero-filled, usable from several threads. Memory from malloc begins 16 bytes past a
 * page, where large reads are up to five times slower on some CPUs; WebAssembly memory is the only page-aligned memory that
 * Node.js offers without an add-on.
 */
export function alignedBuffer(sizeBytes: number): Uint8Array<SharedArrayBuffer> {
  const pages = Math.max(1, Math.ceil(sizeBytes / PAGE));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return new Uint8Array(memory.buffer, 0, sizeBytes);
}
