import type { RandomAccessFile } from '../../lib/random-access-file.ts';
import { encodeHeader, HEADER_POSITIONS, type VhdxHeader } from './vhdx-header.ts';

type HeaderChange = Partial<Pick<VhdxHeader, 'fileWriteGuid' | 'dataWriteGuid' | 'logGuid'>>;

/** Keeps the two headers of a file that is being written. */
export class HeaderWriter {
  readonly #file: RandomAccessFile;
  #header: VhdxHeader;
  #copy: number;

  constructor(file: RandomAccessFile, header: VhdxHeader, copy: number) {
    [this.#file, this.#header, this.#copy] = [file, header, copy];
  }

  get header(): VhdxHeader {
    return this.#header;
  }

  /**
   * Writes the header with changes, first over the copy that is not in force, durably, and then the same over the other one:
   * at every moment one intact header is there, and at the end both say the same (MS-VHDX 2.2.2.1, Updating the Headers).
   */
  async update(change: HeaderChange): Promise<void> {
    for (let time = 0; time < HEADER_POSITIONS.length; time++) {
      const header = { ...this.#header, ...change, sequenceNumber: this.#header.sequenceNumber + 1n };
      const copy = 1 - this.#copy;
      await this.#file.write(HEADER_POSITIONS[copy]!, encodeHeader(header));
      await this.#file.sync();
      [this.#header, this.#copy] = [header, copy];
    }
  }
}
