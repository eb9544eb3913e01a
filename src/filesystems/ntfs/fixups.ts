import { damaged, fits } from './ntfs-damage.ts';

/** Sizes of the pieces whose last two bytes are exchanged; 512 whatever the sectors are, larger ones by some writers. */
const STRIDES = [512, 1024, 2048, 4096];

/**
 * Checks a record of several sectors (`FILE`, `INDX`, `RSTR`) and puts back the last two bytes of each sector, which stand in its
 * update sequence array (libfsntfs, 5.1 Fix-up values). A record that was written only in part has sectors of another number.
 */
export function undoFixups(record: Uint8Array, signature: string, what: string): void {
  const found = String.fromCharCode(record[0]!, record[1]!, record[2]!, record[3]!);
  if (found !== signature) throw damaged(`${what} does not begin with ${signature}`);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const array = view.getUint16(4, true);
  const sectors = view.getUint16(6, true) - 1;
  const stride = record.length / sectors;
  if (!STRIDES.includes(stride) || !fits(array, 2 * (sectors + 1), stride - 2)) throw damaged(`the fix-ups of ${what} are damaged`);
  const number = view.getUint16(array, true);
  for (let sector = 1; sector <= sectors; sector += 1) {
    const at = sector * stride - 2;
    if (view.getUint16(at, true) !== number) throw damaged(`${what} was written only in part`);
    view.setUint16(at, view.getUint16(array + 2 * sector, true), true);
  }
}
