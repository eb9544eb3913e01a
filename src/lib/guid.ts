const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The GUID of sixteen zero bytes. */
export const NIL_GUID = '00000000-0000-0000-0000-000000000000';

/** Where each byte of the written form stands in Microsoft's layout: the first three groups are little-endian. */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** Lower case with hyphens, from the sixteen bytes at `at` in Microsoft's mixed-endian layout. */
export function guidFromBytes(bytes: Uint8Array, at = 0): string {
  let hex = '';
  for (const index of ORDER) hex += bytes[at + index]!.toString(16).padStart(2, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The sixteen bytes of a GUID in Microsoft's mixed-endian layout. Throws a RangeError for what `parseGuid` does not know. */
export function guidToBytes(guid: string): Uint8Array {
  const known = parseGuid(guid);
  if (known === undefined) throw new RangeError(`not a GUID: ${guid}`);
  const hex = known.replaceAll('-', '');
  return Uint8Array.from(ORDER, (index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
}

/** A GUID as text, in braces or not, in any case, as lower case with hyphens; `undefined` for anything else. */
export function parseGuid(text: string): string | undefined {
  const bare = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  const lower = bare.toLowerCase();
  return GUID.test(lower) ? lower : undefined;
}
