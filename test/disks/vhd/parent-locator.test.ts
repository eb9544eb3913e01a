import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parentCandidates } from '../../../src/disks/vhd/parent-locator.ts';
import { openImage } from '../../../src/disks/vhd/parent-lookup.ts';
import { vhdFormat } from '../../../src/disks/vhd/vhd-format.ts';
import { patchHeader } from '../../builders/vhd-images.ts';

let folder: string;
let child: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-locator-'));
  const parent = join(folder, 'base.vhd');
  child = join(folder, 'child.vhd');
  await (await vhdFormat.create(parent, { sizeBytes: 1024 * 1024, subformat: 'dynamic' }))[Symbol.asyncDispose]();
  await (await vhdFormat.create(child, { sizeBytes: 0, subformat: 'differencing', parent }))[Symbol.asyncDispose]();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Locator {
  readonly code: string;
  readonly text: Buffer;
  readonly length?: number;
}

/** Where an image with only these locators, and this name in its header, looks for its parent on Linux. */
async function candidates(locators: readonly Locator[], name = ''): Promise<string[]> {
  await using file = await open(child, 'r+');
  const { size } = await file.stat();
  // The texts go where only zeros are: before the footer, at the end of the table's sector.
  let position = 2048;
  await file.write(Buffer.alloc(Math.max(0, size - 512 - position)), 0, undefined, position);
  await patchHeader(child, (header) => {
    new Uint8Array(header.buffer).fill(0, 64);
    new Uint8Array(header.buffer).set(Buffer.from(name, 'utf16le').swap16(), 64);
    for (const [slot, { code, text, length }] of locators.entries()) {
      const at = 576 + slot * 24;
      new Uint8Array(header.buffer).set(Buffer.from(code), at);
      header.setUint32(at + 8, length ?? text.length);
      header.setBigUint64(at + 16, BigInt(position + slot * 128));
    }
  });
  for (const { text } of locators) {
    await file.write(text, 0, text.length, position);
    position += 128;
  }
  await using image = await openImage(child);
  return (await parentCandidates(image, 'linux')).map((path) => (dirname(path) === folder ? path.slice(folder.length + 1) : path));
}

const wide = (text: string) => Buffer.from(text, 'utf16le');

describe('the places of a parent', () => {
  it.each([
    { what: 'a relative path in UTF-16', locators: [{ code: 'W2ru', text: wide('.\\Größe.vhd') }], first: 'Größe.vhd' },
    { what: 'a relative path in one byte a character', locators: [{ code: 'Wi2r', text: Buffer.from('.\\old.vhd') }], first: 'old.vhd' },
    {
      what: 'an absolute path of Windows: beside the image',
      locators: [{ code: 'W2ku', text: wide('D:\\VMs\\far.vhd') }],
      first: 'far.vhd',
    },
    {
      what: 'a URL of a Mac',
      locators: [{ code: 'MacX', text: Buffer.from('file://localhost/Users/a%20b/m.vhd\0') }],
      first: '/Users/a b/m.vhd',
    },
  ])('are taken from $what', async ({ locators, first }) => {
    expect((await candidates(locators))[0]).toBe(first);
  });

  it('begin with the relative path and end with the name in the header', async () => {
    const locators = [
      { code: 'W2ku', text: wide('/srv/vms/absolute.vhd') },
      { code: 'W2ru', text: wide('..\\up.vhd') },
    ];
    const found = await candidates(locators, 'named.vhd');
    expect(found[0]).toBe(join(dirname(folder), 'up.vhd'));
    expect(found).toContain('/srv/vms/absolute.vhd');
    expect(found.at(-1)).toBe('named.vhd');
  });

  it('leave out what cannot be', async () => {
    expect(await candidates([{ code: 'W2ru', text: wide('x'), length: 0xffff_ffff }], 'only.vhd')).toEqual(['only.vhd']);
    expect(await candidates([{ code: 'MacX', text: Buffer.from('http://server/x.vhd') }])).toEqual([]);
    expect(await candidates([{ code: 'MacX', text: Buffer.from('no URL at all') }])).toEqual([]);
  });
});
