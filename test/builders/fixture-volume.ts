import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createZstdDecompress } from 'node:zlib';
import type { Volume } from '../../src/filesystems/volume.ts';
import { ReadPastEndError } from '../../src/lib/byte-source.ts';
import { isZero } from '../../src/lib/zeros.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'filesystems');
const PAGE = 64 * 1024;

/** What an independent reader saw on a fixture: made by scripts/fixtures/truth.py. */
export interface FixtureTruth {
  readonly entries: readonly FixtureEntry[];
}

export interface FixtureEntry {
  /** Begins with `/`; the root itself is not listed. Bytes that are no UTF-8 as U+DC00 + byte. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'link' | 'other';
  readonly size?: number;
  readonly sha256?: string;
  /** Nanoseconds since 1970, as text. */
  readonly modified?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly links?: number;
  readonly target?: string;
}

/** A volume of which only what is not zero is held in memory. */
export interface FixtureVolume extends Volume {
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

/** `test/fixtures/filesystems/NAME.img.zst`, as a volume in memory. */
export async function fixtureVolume(name: string): Promise<FixtureVolume> {
  const pages = new Map<number, Uint8Array>();
  let size = 0;
  let page = new Uint8Array(PAGE);
  const keep = () => {
    if (!isZero(page)) pages.set(Math.ceil(size / PAGE) - 1, page);
    page = new Uint8Array(PAGE);
  };
  for await (const chunk of createReadStream(join(FOLDER, `${name}.img.zst`)).pipe(createZstdDecompress()) as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PAGE - (size % PAGE));
      page.set(piece, size % PAGE);
      at += piece.length;
      size += piece.length;
      if (size % PAGE === 0) keep();
    }
  }
  if (size % PAGE !== 0) keep();
  return sparseVolume(pages, size, name);
}

export async function fixtureTruth(name: string): Promise<FixtureTruth> {
  return JSON.parse(await readFile(join(FOLDER, `${name}.json`), 'utf8')) as FixtureTruth;
}

function sparseVolume(pages: ReadonlyMap<number, Uint8Array>, sizeBytes: number, what: string): FixtureVolume {
  return {
    pages,
    sizeBytes,
    async read(offset, into) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && into.length <= sizeBytes - offset;
      if (!inside) throw new ReadPastEndError(what, offset, into.length, sizeBytes);
      for (let done = 0; done < into.length; ) {
        const at = offset + done;
        const length = Math.min(PAGE - (at % PAGE), into.length - done);
        const page = pages.get(Math.floor(at / PAGE));
        if (page) into.set(page.subarray(at % PAGE, (at % PAGE) + length), done);
        else into.fill(0, done, done + length);
        done += length;
      }
    },
  };
}
