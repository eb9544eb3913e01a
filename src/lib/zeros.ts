const ZEROS = Buffer.alloc(65_536);

/** Whether every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < view.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, view.length);
    if (view.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}

/** The parts of `bytes` that are not zero, in whole pieces of `unit` bytes, joined: `[start, end)`. */
export function* dataRuns(bytes: Uint8Array, unit: number): Generator<{ readonly start: number; readonly end: number }> {
  let start = -1;
  for (let at = 0; at < bytes.length; at += unit) {
    const zero = isZero(bytes.subarray(at, at + unit));
    if (!zero && start < 0) start = at;
    if (zero && start >= 0) {
      yield { start, end: at };
      start = -1;
    }
  }
  if (start >= 0) yield { start, end: bytes.length };
}
