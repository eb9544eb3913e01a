import type { ByteRange } from '../../lib/byte-range.ts';
import type { RandomAccessFile } from '../../lib/random-access-file.ts';
import { BlockTable, sectorRuns } from './block-table.ts';
import { readFooter, type VhdFooter } from './vhd-footer.ts';
import { readHeader, type VhdHeader } from './vhd-header.ts';

/** One VHD file, without its parents. */
export interface VhdImage extends AsyncDisposable {
  readonly path: string;
  readonly file: RandomAccessFile;
  readonly footer: VhdFooter;
  /** Of dynamic and differencing images. */
  readonly sparse?: { readonly header: VhdHeader; readonly table: BlockTable };
}

/** A part of the virtual disk and who tells what it holds. */
export type OwnExtent = ByteRange & ({ readonly from: 'file'; readonly position: number } | { readonly from: 'zero' | 'parent' });

/** Reads the structures of an image whose file is open; the image owns the file from here on. */
export async function readImage(file: RandomAccessFile): Promise<VhdImage> {
  const { path } = file;
  const footer = await readFooter(path, file);
  const close = () => file[Symbol.asyncDispose]();
  if (footer.subformat === 'fixed') return { path, file, footer, [Symbol.asyncDispose]: close };
  const header = await readHeader(path, file, footer);
  const table = await BlockTable.read(path, file, header);
  return { path, file, footer, sparse: { header, table }, [Symbol.asyncDispose]: close };
}

/**
 * Where the bytes of `range`, which lies within the disk, are as this image alone knows: ascending, covering exactly the range. A
 * fixed image whose file ends too early reads as zero from there on, as Windows and QEMU read it.
 */
export async function ownExtents({ file, footer, sparse }: VhdImage, { offset, length }: ByteRange): Promise<OwnExtent[]> {
  if (!sparse) {
    const inFile = Math.min(length, Math.max(0, file.sizeBytes - offset));
    const extents: OwnExtent[] = inFile > 0 ? [{ offset, length: inFile, from: 'file', position: offset }] : [];
    return inFile < length ? [...extents, { offset: offset + inFile, length: length - inFile, from: 'zero' }] : extents;
  }
  const elsewhere = footer.subformat === 'differencing' ? 'parent' : 'zero';
  const { table } = sparse;
  const extents: OwnExtent[] = [];
  for (let at = offset; at < offset + length; ) {
    const block = Math.floor(at / table.blockSize);
    const blockStart = block * table.blockSize;
    const end = Math.min(offset + length, blockStart + table.blockSize);
    const payload = table.payload(block);
    if (payload === undefined) extents.push({ offset: at, length: end - at, from: elsewhere });
    else {
      const first = Math.floor((at - blockStart) / 512);
      for (const run of sectorRuns(await table.bitmap(block), first, Math.ceil((end - blockStart) / 512))) {
        const from = Math.max(at, blockStart + run.from * 512);
        const part = { offset: from, length: Math.min(end, blockStart + run.to * 512) - from };
        extents.push(run.isSet ? { ...part, from: 'file', position: payload + from - blockStart } : { ...part, from: elsewhere });
      }
    }
    at = end;
  }
  return extents;
}
