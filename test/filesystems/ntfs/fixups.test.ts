import { describe, expect, it } from '@jest/globals';
import { undoFixups } from '../../../src/filesystems/ntfs/fixups.ts';

/** A record of two sectors as it stands on the disk. */
function aRecord(): Buffer {
  const record = Buffer.alloc(1024, 1);
  record.write('FILE', 'latin1');
  record.writeUInt16LE(48, 4);
  record.writeUInt16LE(3, 6);
  record.writeUInt16LE(0x0777, 48);
  record.writeUInt16LE(0xaaaa, 50);
  record.writeUInt16LE(0xbbbb, 52);
  record.writeUInt16LE(0x0777, 510);
  record.writeUInt16LE(0x0777, 1022);
  return record;
}

describe('the fix-ups of a record', () => {
  it('put back the last two bytes of each sector', () => {
    const record = aRecord();
    undoFixups(record, 'FILE', 'it');
    expect([record.readUInt16LE(510), record.readUInt16LE(1022)]).toEqual([0xaaaa, 0xbbbb]);
  });

  it.each([
    { what: 'another signature', spoil: (record: Buffer) => record.write('BAAD', 'latin1'), message: 'it does not begin with FILE' },
    { what: 'a sector of another write', spoil: (record: Buffer) => record.writeUInt16LE(1, 1022), message: 'it was written only in part' },
    { what: 'no sectors', spoil: (record: Buffer) => record.writeUInt16LE(1, 6), message: 'the fix-ups of it are damaged' },
    { what: 'fewer than none', spoil: (record: Buffer) => record.writeUInt16LE(0, 6), message: 'the fix-ups of it are damaged' },
    { what: 'too many sectors', spoil: (record: Buffer) => record.writeUInt16LE(9, 6), message: 'the fix-ups of it are damaged' },
    { what: 'an array in the way', spoil: (record: Buffer) => record.writeUInt16LE(506, 4), message: 'the fix-ups of it are damaged' },
    { what: 'an array far away', spoil: (record: Buffer) => record.writeUInt16LE(65_000, 4), message: 'the fix-ups of it are damaged' },
  ])('show $what as damage', ({ spoil, message }) => {
    const record = aRecord();
    spoil(record);
    expect(() => undoFixups(record, 'FILE', 'it')).toThrow(message);
  });
});
