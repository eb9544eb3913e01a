import type { Volume } from '../../src/filesystems/volume.ts';

/** A volume with other bytes at some places, and a count of what is read from it. */
export function patchedVolume(volume: Volume, patches: readonly { readonly at: number; readonly bytes: Uint8Array }[] = []) {
  const counts = { reads: 0, bytes: 0 };
  return {
    sizeBytes: volume.sizeBytes,
    counts,
    async read(offset: number, into: Uint8Array): Promise<void> {
      counts.reads += 1;
      counts.bytes += into.length;
      await volume.read(offset, into);
      for (const { at, bytes } of patches) {
        const from = Math.max(at, offset);
        const end = Math.min(at + bytes.length, offset + into.length);
        if (from < end) into.set(bytes.subarray(from - at, end - at), from - offset);
      }
    },
  };
}
