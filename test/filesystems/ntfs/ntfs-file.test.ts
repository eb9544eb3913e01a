import { describe, expect, it } from '@jest/globals';
import type { FileRecord } from '../../../src/filesystems/ntfs/file-record.ts';
import { loadFile } from '../../../src/filesystems/ntfs/ntfs-file.ts';
import type { RecordReader } from '../../../src/filesystems/ntfs/record-reader.ts';

/** An attribute list that names a record for each entry. */
function aList(entries: number): Uint8Array {
  const list = Buffer.alloc(32 * entries);
  for (let index = 0; index < entries; index += 1) {
    list.writeUInt32LE(0x80, 32 * index);
    list.writeUInt16LE(32, 32 * index + 4);
    list.writeUInt32LE(100 + index, 32 * index + 16);
    list.writeUInt16LE(1, 32 * index + 22);
  }
  return list;
}

/** A table in which record 30 has a list of so many further records, all of them alike. */
function aTable(entries: number, recordSize: number) {
  const asked: number[] = [];
  const record = async (number: number): Promise<FileRecord> => {
    asked.push(number);
    const base = { number, sequence: 1, isInUse: true, isDirectory: false, linkCount: 1 };
    if (number !== 30) return { ...base, base: 30, attributes: [] };
    return { ...base, base: 0, attributes: [{ type: 0x20, name: '', encrypted: false, value: aList(entries) }] };
  };
  return { asked, table: { record, geometry: { recordSize } } as unknown as RecordReader };
}

describe('a file of many records', () => {
  it('is read with all of them', async () => {
    const { asked, table } = aTable(8000, 1024);
    expect((await loadFile(table, 30)).list).toHaveLength(8000);
    expect(asked).toHaveLength(8001);
  });

  it('is damaged where they would take more than 16 MiB: a hostile table may lead to one place again and again', async () => {
    const { asked, table } = aTable(20_000, 65_536);
    await expect(loadFile(table, 30)).rejects.toMatchObject({
      code: 'MABS-FS-DAMAGED',
      message: expect.stringContaining('too many parts'),
    });
    expect(asked.length).toBeLessThanOrEqual(256);
  });
});
