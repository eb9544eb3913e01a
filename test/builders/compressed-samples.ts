import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileContent } from '../../src/filesystems/file-system.ts';
import { memorySource } from '../../src/lib/byte-source.ts';

const FILE = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'filesystems', 'compressed.json');

/** Data that wimlib or NTFS-3G compressed: made by scripts/fixtures/make-compressed.py. */
export interface CompressedSample {
  readonly name: 'xpress4k' | 'lzx' | 'xpress8k' | 'xpress16k' | 'lznt1';
  readonly size: number;
  readonly sha256: string;
  /** LZNT1: a compression unit. Else a table of chunks and the chunks, as WOF keeps them. */
  readonly stored: Uint8Array;
}

export async function compressedSamples(): Promise<CompressedSample[]> {
  const entries = JSON.parse(await readFile(FILE, 'utf8')) as (Omit<CompressedSample, 'stored'> & { data: string })[];
  return entries.map(({ data, ...sample }) => ({ ...sample, stored: Uint8Array.from(Buffer.from(data, 'base64')) }));
}

/** Bytes as the content of a file. */
export function contentOf(bytes: Uint8Array): FileContent {
  const { sizeBytes, read } = memorySource(bytes, 'the file');
  return { sizeBytes, read, data: async (range) => [range] };
}

/** Writes bits as XPRESS Huffman and LZX read them: words of 16 bits, little-endian, each from its highest bit. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #bits = '';

  put(value: number, count: number): this {
    this.#bits += count === 0 ? '' : value.toString(2).padStart(count, '0');
    while (this.#bits.length >= 16) {
      const word = Number.parseInt(this.#bits.slice(0, 16), 2);
      this.#bytes.push(word & 0xff, word >> 8);
      this.#bits = this.#bits.slice(16);
    }
    return this;
  }

  /** Fills the word that was begun; writes a whole one where none was. */
  align(): this {
    return this.put(0, 16 - this.#bits.length);
  }

  raw(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
