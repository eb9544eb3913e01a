import { describe, expect, it } from '@jest/globals';
import { extDriver } from '../../../src/filesystems/ext/ext-driver.ts';
import { nameHash } from '../../../src/filesystems/ext/name-hash.ts';
import type { Superblock } from '../../../src/filesystems/ext/superblock.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';

const SEED = Buffer.from('112233445566778899aabbccddeeff00', 'hex');
const LONG = 'a much longer name than thirty-two characters.txt';
const hash = (name: string, version: number, hashSeed: Uint8Array = SEED, hasUnsignedHash = false) =>
  nameHash(Buffer.from(name), version, { raw: { hashSeed } as unknown as Superblock['raw'], hasUnsignedHash });

describe('the hash of a name', () => {
  // From debugfs, dx_hash.
  it.each([
    [0, 'hello', 0x32252546],
    [0, LONG, 0x6fbe55e2],
    [0, 'é', 0x11083c86],
    [1, 'hello', 0x6a6d483e],
    [1, LONG, 0xc062a490],
    [1, 'é', 0x4400240a],
    [2, 'hello', 0x77cfe3d8],
    [2, LONG, 0x3f5a2b78],
    [2, 'é', 0x166e5924],
  ])('of version %d for %s is the one of ext4', (version, name, expected) => expect(hash(name, version)).toBe(expected));

  it('has a state of its own where the volume has no seed', () => {
    expect(hash('é', 1, new Uint8Array(16))).toBe(0x89d4704e);
    expect(hash('ÿ and more', 2, new Uint8Array(16))).toBe(0xd32dbbda);
  });

  it('takes bytes as unsigned when the version or the volume says so', () => {
    expect(hash('é', 4)).toBe(hash('é', 1, SEED, true));
    expect(hash('é', 4)).not.toBe(hash('é', 1));
    expect(hash('hello', 3)).toBe(hash('hello', 0));
  });
});

it('finds a name among hundreds by its hash in a few reads', async () => {
  const volume = await fixtureVolume('ext3');
  let bytesRead = 0;
  const counted = {
    sizeBytes: volume.sizeBytes,
    read: (offset: number, into: Uint8Array) => {
      bytesRead += into.length;
      return volume.read(offset, into);
    },
  };
  const cold = async (name: string) => {
    const system = await extDriver.open(counted);
    const folder = (await system.find(await system.root(), 'long'))!;
    bytesRead = 0;
    const found = await system.find(folder, name);
    return { found: found !== undefined, bytesRead };
  };
  const listed = await cold('not there');
  expect(listed.found).toBe(false);
  const name = '0321-'.padEnd(240, 'x');
  const found = await cold(name);
  expect(found.found).toBe(true);
  expect(found.bytesRead).toBeLessThan(listed.bytesRead / 2);
});
