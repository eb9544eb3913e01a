import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { memorySource } from '../../src/lib/byte-source.ts';
import { openRegistryHive } from '../../src/lib/registry-hive.ts';
import { fuzzBytes } from '../builders/byte-fuzzer.ts';
import { registryFuzzSamples } from '../builders/registry-fuzz-samples.ts';
import { aRegistryHive, aSoftwareHive } from '../builders/registry-hive.ts';

const VERSION = ['Microsoft', 'Windows NT', 'CurrentVersion'];
const open = (bytes: Uint8Array) => openRegistryHive(memorySource(bytes));

describe('a registry hive', () => {
  it('gives text and numbers by the names of keys and values, regardless of case', async () => {
    const hive = await open(aSoftwareHive({ ProductName: 'Windows Server 2022 Standard', UBR: 1234, Überlauf: 'ja' }));
    const key = await hive.findKey(VERSION.map((name) => name.toLowerCase()));
    expect(await key?.findValue('productname')).toBe('Windows Server 2022 Standard');
    expect(await key?.findValue('UBR')).toBe(1234);
    expect(await key?.findValue('überlauf')).toBe('ja');
    expect(await key?.findValue('ProductNam')).toBeUndefined();
    expect(await hive.findKey(['Microsoft', 'Windows'])).toBeUndefined();
    expect(hive.dirty).toBe(false);
  });

  it.each(['lf', 'lh', 'li', 'ri'] as const)('finds a key in a list of kind %s', async (list) => {
    const keys = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`Key ${index} Ж`, { values: { Number: index } }]));
    const hive = await open(aRegistryHive({ keys, list }));
    expect(await (await hive.findKey(['key 7 ж']))?.findValue('number')).toBe(7);
    expect(await hive.findKey(['Key 9 Ж'])).toBeUndefined();
  });

  it('says when changes lie in its logs only', async () => {
    expect((await open(aRegistryHive({}, { dirty: true }))).dirty).toBe(true);
  });

  it('is read as hivex writes it', async () => {
    const hive = await open(
      zstdDecompressSync(await readFile(join(import.meta.dirname, '..', 'fixtures', 'registry', 'software.hive.zst'))),
    );
    const key = await hive.findKey(VERSION);
    expect(await key?.findValue('ProductName')).toBe('Windows Server 2022 Datacenter');
    expect(await key?.findValue('CurrentBuild')).toBe('20348');
    expect(await key?.findValue('UBR')).toBe(2700);
    expect(await key?.findValue('DigitalProductId')).toBeUndefined();
    expect(await (await hive.findKey(['Classes', 'Extension 37']))?.findValue('Content Type')).toBe('application/x-37');
  });

  it('refuses what is no hive, and a list that leads to itself', async () => {
    await expect(open(new Uint8Array(8192))).rejects.toMatchObject({ code: 'MABS-REGISTRY-DAMAGED' });
    await expect(open(new Uint8Array(100))).rejects.toMatchObject({ code: 'MABS-REGISTRY-DAMAGED' });
    const looping = Buffer.from(aRegistryHive({ keys: { a: {}, b: {} }, list: 'ri' }));
    const outer = looping.indexOf('ri');
    looping.writeUInt32LE(outer - 4 - 4096, outer + 4);
    await expect((await open(looping)).findKey(['b'])).rejects.toMatchObject({ code: 'MABS-REGISTRY-DAMAGED' });
  });

  it('answers or refuses whatever its bytes are', async () => {
    const report = await fuzzBytes(registryFuzzSamples(), { seed: 41, rounds: 2000 });
    expect(report.problems).toEqual([]);
    expect(Object.keys(report.outcomes).sort()).toEqual(['MABS-REGISTRY-DAMAGED', 'read']);
  });

  it('reads little of a large hive', async () => {
    const keys = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`Key ${index}`, { values: { Number: index } }]));
    const bytes = aRegistryHive({ keys });
    let read = 0;
    const source = {
      sizeBytes: bytes.length,
      async read(offset: number, into: Uint8Array) {
        read += into.length;
        into.set(bytes.subarray(offset, offset + into.length));
      },
    };
    await (await openRegistryHive(source)).findKey(['Key 10']);
    expect(read).toBeLessThan(40_000);
  });
});
