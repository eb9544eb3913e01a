import { crc32 } from 'node:zlib';
import { listVolumes } from '../../src/core/inside/disk-volumes.ts';
import type { DiskFormat } from '../../src/disks/disk-format.ts';
import { rawFormat } from '../../src/disks/raw/raw-format.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import type { FuzzSeed, FuzzTarget } from './disk-fuzzer.ts';
import { anMbr, putGpt } from './partition-tables.ts';

const SIZE = 512 * 1024;
const DATA = 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7';
const VOLUME_AT = 64 * 512;

/** A raw image of which the partition table and the file systems are looked at, too. */
const looking: DiskFormat = {
  ...rawFormat,
  async describe(path, options) {
    await using disk = await rawFormat.open(path, options);
    await listVolumes(diskFormats, disk);
    return await rawFormat.describe(path, options);
  },
};

/** Partition tables of every kind, and the beginnings of volumes whose labels take more than a look. */
export const volumesFuzzTarget: FuzzTarget = {
  name: 'volumes',
  format: looking,
  async seeds() {
    const heads = [fatHead(), exfatHead(), ntfsHead(), extHead()];
    return [
      seedOf('mbr.raw', anMbrDisk()),
      seedOf('gpt512.raw', aGptDisk(512), 512),
      seedOf('gpt4096.raw', aGptDisk(4096), 4096),
      ...heads.map((head, index) => seedOf(`volume${index}.raw`, aDiskWith(head))),
    ];
  },
};

function anMbrDisk(): Uint8Array {
  const disk = aDiskWith(extHead());
  disk.set(
    anMbr([
      { type: 0x83, start: 64, sectors: 300 },
      { type: 5, start: 400, sectors: 600 },
    ]),
  );
  disk.set(
    anMbr([
      { type: 0x83, start: 1, sectors: 9 },
      { type: 5, start: 20, sectors: 60 },
    ]),
    400 * 512,
  );
  disk.set(anMbr([{ type: 0x82, start: 1, sectors: 9 }]), 420 * 512);
  return disk;
}

function aGptDisk(sectorSize: number): Uint8Array {
  const disk = new Uint8Array(SIZE);
  putGpt(disk, [{ slot: 0, type: DATA, firstLba: 40, lastLba: 60, name: 'data' }], sectorSize);
  disk.set(ntfsHead(), 40 * sectorSize);
  return disk;
}

function aDiskWith(head: Uint8Array): Uint8Array {
  const disk = new Uint8Array(SIZE);
  disk.set(anMbr([{ type: 7, start: 64, sectors: 900 }]));
  disk.set(head, VOLUME_AT);
  return disk;
}

const bootSector = (oem: string) => {
  const head = Buffer.alloc(8192);
  head.set([0xeb, 0x58, 0x90]);
  head.write(oem, 3, 'latin1');
  head.writeUInt16LE(0xaa55, 510);
  return head;
};

function fatHead(): Uint8Array {
  const head = bootSector('MSDOS5.0');
  head.set([0, 2, 1, 1, 0, 1, 0, 0, 0, 0, 0xf8], 11);
  head.writeUInt32LE(2, 36);
  head.writeUInt32LE(2, 44);
  head.writeUInt32LE(3, 512 + 8);
  head.write('LABEL      \x08', 3 * 512, 'latin1');
  return head;
}

function exfatHead(): Uint8Array {
  const head = bootSector('EXFAT   ');
  head.writeUInt32LE(1, 80);
  head.writeUInt32LE(4, 88);
  head.writeUInt32LE(2, 96);
  head.set([9, 1], 108);
  head.writeUInt32LE(3, 512 + 8);
  head.set([0x83, 2, 0x41, 0, 0x42, 0], 4 * 512);
  return head;
}

function ntfsHead(): Uint8Array {
  const head = bootSector('NTFS    ');
  head.set([0, 2, 1], 11);
  head.writeBigUInt64LE(4n, 48);
  head.set([0xf6], 64);
  const record = head.subarray(4 * 512 + 3 * 1024);
  record.write('FILE', 0, 'latin1');
  record.set([48, 0, 3, 0], 4);
  record.writeUInt16LE(56, 20);
  record.writeUInt32LE(0x60, 56);
  record.writeUInt32LE(32, 60);
  record.writeUInt32LE(4, 72);
  record.writeUInt16LE(24, 76);
  record.write('AB', 80, 'utf16le');
  return head;
}

function extHead(): Uint8Array {
  const head = Buffer.alloc(2048);
  head.writeUInt16LE(0xef53, 1024 + 56);
  head.write('label', 1024 + 120);
  return head;
}

/** With `gptSector` the checksums of both headers are made right again. */
function seedOf(fileName: string, bytes: Uint8Array, gptSector?: number): FuzzSeed {
  const tables = [
    { offset: 400 * 512, length: 512 },
    { offset: 420 * 512, length: 512 },
    { offset: VOLUME_AT, length: 8192 },
  ];
  const headers = gptSector ? [gptSector, bytes.length - gptSector] : [];
  return {
    fileName,
    bytes,
    hotspots: [{ offset: 0, length: 1024 }, ...(gptSector ? headers.map((offset) => ({ offset, length: 512 })) : tables)],
    fix(image) {
      for (const offset of headers) {
        const view = new DataView(image.buffer, image.byteOffset + offset);
        view.setUint32(16, 0);
        view.setUint32(16, crc32(image.subarray(offset, offset + Math.min(Math.max(view.getUint32(12, true), 92), 512))), true);
      }
    },
  };
}
