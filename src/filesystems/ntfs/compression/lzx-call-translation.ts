const CALL = 0xe8;
/** The size of the file that translation assumes; it is fixed in WIM and WOF. */
const FILE_BYTES = 12_000_000;
/** The last bytes of a chunk are never translated. */
const TAIL_BYTES = 10;

/**
 * Turns the targets of x86 calls (E8h) back from absolute to relative, in place ([MS-PATCH] 2.4, with each chunk a file of its own): the
 * encoder made them absolute because the same target then looks the same from everywhere.
 */
export function undoCallTranslation(chunk: Uint8Array): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const end = chunk.length - TAIL_BYTES;
  for (let at = chunk.indexOf(CALL); at >= 0 && at < end; at = chunk.indexOf(CALL, at + 5)) {
    const absolute = view.getInt32(at + 1, true);
    if (absolute >= 0 && absolute < FILE_BYTES) view.setInt32(at + 1, absolute - at, true);
    else if (absolute < 0 && absolute >= -at) view.setInt32(at + 1, absolute + FILE_BYTES, true);
  }
}
