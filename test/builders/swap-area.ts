/** Makes the first page of a swap area on a volume, as mkswap(8) does. `pages`: all of them; the volume's when absent. */
export function putSwapArea(
  volume: Uint8Array,
  { pageBytes = 4096, pages = Math.floor(volume.length / pageBytes), version = 1, signature = 'SWAPSPACE2' } = {},
): void {
  volume.fill(0, 0, pageBytes);
  const view = new DataView(volume.buffer, volume.byteOffset);
  view.setUint32(1024, version, true);
  view.setUint32(1028, pages - 1, true);
  volume.set(Buffer.from('0123456789abcdef'), 1036);
  volume.set(Buffer.from('swapspace\0\0\0\0\0\0\0'), 1052);
  volume.set(Buffer.from(signature), pageBytes - signature.length);
}
