import { MabsError } from '../../lib/errors.ts';
import { NIL_GUID, parseGuid } from '../../lib/guid.ts';
import { guid, struct, u16le, u32le } from '../../lib/struct.ts';

/** MS-VHDX 2.6.2.6, Parent Locator: keys and values as UTF-16, not terminated. */
const LOCATOR_HEADER = struct(20, { locatorType: guid(0), keyValueCount: u16le(18) });
const LOCATOR_ENTRY = struct(12, { keyOffset: u32le(0), valueOffset: u32le(4), keyLength: u16le(8), valueLength: u16le(10) });

/** The one type that is defined: the parent is a VHDX. */
const VHDX_LOCATOR = 'b04aefb7-d19e-4a81-b789-25b8e9445913';
const MAX_KEYS = 1024;

/** What a differencing image says of its parent. */
export interface ParentLocator {
  /** Any of these is the parent's data write GUID; lower case with hyphens. */
  readonly linkages: readonly string[];
  readonly relativePath?: string;
  readonly volumePath?: string;
  readonly absolutePath?: string;
}

export class VhdxLocatorError extends MabsError {
  readonly code = 'MABS-VHDX-LOCATOR';
  readonly hint = 'What the image says of its parent is damaged: recover this disk from its newest recovery point.';
  override readonly kind = 'damaged';
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
  }
}

export function parseLocator(path: string, item: Uint8Array): ParentLocator {
  if (item.length < LOCATOR_HEADER.size) throw new VhdxLocatorError(path, 'its parent locator is too short');
  const { locatorType, keyValueCount } = LOCATOR_HEADER.read(item);
  if (locatorType !== VHDX_LOCATOR) throw new VhdxLocatorError(path, `its parent locator has type ${locatorType}, which is not known`);
  if (keyValueCount > MAX_KEYS || LOCATOR_HEADER.size + keyValueCount * LOCATOR_ENTRY.size > item.length) {
    throw new VhdxLocatorError(path, `its parent locator names ${keyValueCount} keys, more than it has room for`);
  }
  const values = new Map<string, string>();
  for (let index = 0; index < keyValueCount; index++) {
    const entry = LOCATOR_ENTRY.read(item, LOCATOR_HEADER.size + index * LOCATOR_ENTRY.size);
    const key = textAt(path, item, entry.keyOffset, entry.keyLength);
    if (values.has(key)) throw new VhdxLocatorError(path, `its parent locator names the key ${JSON.stringify(key)} twice`);
    values.set(key, textAt(path, item, entry.valueOffset, entry.valueLength));
  }
  return fromValues(path, values);
}

/** The bytes of a locator item. */
export function encodeLocator(locator: ParentLocator): Uint8Array {
  const pairs = [
    ['parent_linkage', `{${locator.linkages[0] ?? NIL_GUID}}`],
    ['relative_path', locator.relativePath],
    ['volume_path', locator.volumePath],
    ['absolute_win32_path', locator.absolutePath],
  ].filter((pair): pair is [string, string] => pair[1] !== undefined);
  const texts = pairs.flat().map((text) => Buffer.from(text, 'utf16le'));
  const textsAt = LOCATOR_HEADER.size + pairs.length * LOCATOR_ENTRY.size;
  const bytes = new Uint8Array(textsAt + texts.reduce((sum, text) => sum + text.length, 0));
  LOCATOR_HEADER.write(bytes, { locatorType: VHDX_LOCATOR, keyValueCount: pairs.length });
  let at = textsAt;
  pairs.forEach((_, index) => {
    const [key, value] = [texts[index * 2]!, texts[index * 2 + 1]!];
    const entry = { keyOffset: at, keyLength: key.length, valueOffset: at + key.length, valueLength: value.length };
    LOCATOR_ENTRY.write(bytes, entry, LOCATOR_HEADER.size + index * LOCATOR_ENTRY.size);
    bytes.set(key, at);
    bytes.set(value, at + key.length);
    at += key.length + value.length;
  });
  return bytes;
}

function fromValues(path: string, values: ReadonlyMap<string, string>): ParentLocator {
  const linkages = ['parent_linkage', 'parent_linkage2'].flatMap((key) => {
    const text = values.get(key);
    if (text === undefined) return [];
    const parsed = parseGuid(text);
    if (parsed === undefined) throw new VhdxLocatorError(path, `${key} in its parent locator is no GUID`);
    return parsed === NIL_GUID ? [] : [parsed];
  });
  if (linkages.length === 0) throw new VhdxLocatorError(path, 'its parent locator does not say which parent it belongs to');
  const relativePath = values.get('relative_path');
  const volumePath = values.get('volume_path');
  const absolutePath = values.get('absolute_win32_path');
  return {
    linkages,
    ...(relativePath ? { relativePath } : {}),
    ...(volumePath ? { volumePath } : {}),
    ...(absolutePath ? { absolutePath } : {}),
  };
}

function textAt(path: string, item: Uint8Array, offset: number, length: number): string {
  if (length === 0 || length % 2 !== 0 || offset > item.length || length > item.length - offset) {
    throw new VhdxLocatorError(path, `a text in its parent locator is placed at ${offset}, ${length} bytes long`);
  }
  return Buffer.from(item.buffer, item.byteOffset + offset, length).toString('utf16le');
}
