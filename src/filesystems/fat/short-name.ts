/**
 * Code page 437, upper half: what short names are kept in where nothing says otherwise. Which page a system used is not kept on the
 * volume.
 */
const CODE_PAGE_437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const BASE_LENGTH = 8;
const NAME_LENGTH = 11;
/** Bits of Windows NT and Linux: the short name is to be shown in lower case, its base or its extension. */
const LOWER_BASE = 0x08;
const LOWER_EXTENSION = 0x10;
/** Stands for E5h as the first byte, which would mark the entry as deleted. */
const ESCAPED_E5 = 0x05;

/** The text of a short name's eleven bytes: base, dot, extension. `caseBits`: byte 12 of its entry. Empty for spaces only. */
export function shortNameText(field: Uint8Array, caseBits: number): string {
  const base = decode(field.subarray(0, BASE_LENGTH), true);
  const extension = decode(field.subarray(BASE_LENGTH, NAME_LENGTH), false);
  const shownBase = caseBits & LOWER_BASE ? base.toLowerCase() : base;
  const shownExtension = caseBits & LOWER_EXTENSION ? extension.toLowerCase() : extension;
  return shownExtension === '' ? shownBase : `${shownBase}.${shownExtension}`;
}

/** The text of a volume's label: eleven bytes without a dot. */
export const labelOfField = (field: Uint8Array) => decode(field.subarray(0, NAME_LENGTH), true);

/** By which a long name knows its short one (FAT specification 1.03, "Long Directory Entries"). */
export function shortNameChecksum(field: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < NAME_LENGTH; at++) sum = (((sum & 1) << 7) + (sum >> 1) + field[at]!) & 0xff;
  return sum;
}

function decode(field: Uint8Array, first: boolean): string {
  let text = '';
  for (const [at, byte] of field.entries()) {
    if (byte === 0) break; // as Linux does: the specification has spaces only
    const shown = first && at === 0 && byte === ESCAPED_E5 ? 0xe5 : byte;
    text += shown < 0x80 ? String.fromCharCode(shown) : CODE_PAGE_437[shown - 0x80]!;
  }
  return text.replace(/ +$/, '');
}
