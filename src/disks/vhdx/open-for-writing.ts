import { randomUUID } from 'node:crypto';
import { NIL_GUID } from '../../lib/guid.ts';
import { openRandomAccess, type RandomAccessFile } from '../../lib/random-access-file.ts';
import type { OpenImageOptions } from '../disk-format.ts';
import { HeaderWriter } from './header-writer.ts';
import { openParents } from './vhdx-chain.ts';
import { readImage, type VhdxImage } from './vhdx-image.ts';
import { MIB, roundUp } from './vhdx-units.ts';
import { WritableVhdx, type WritingOptions } from './writable-vhdx.ts';

const ZEROS_AT_ONCE = MIB;

/** Opens a VHDX, parents included, to be written in place. A dirty log is replayed into the file first. */
export async function openForWriting(path: string, options: OpenImageOptions = {}, writing: WritingOptions = {}): Promise<WritableVhdx> {
  const file = await openRandomAccess(path, 'r+');
  try {
    let image = await readImage(path, file);
    // The parents are looked at before the first byte is written: what cannot be opened is not touched.
    const parents = await openParents(image, options.parent);
    if (image.patches) {
      await replayIntoFile(file, image);
      image = await readImage(path, file);
    }
    return new WritableVhdx(file, [image, ...parents], writing);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** Writes what the log holds to its place and empties the log. A crash in between leaves the log in force: it is replayed again. */
async function replayIntoFile(file: RandomAccessFile, { patches, source, header, headerCopy }: VhdxImage): Promise<void> {
  if (source.sizeBytes > file.sizeBytes) await file.truncate(roundUp(source.sizeBytes, MIB));
  for (const patch of patches?.patches ?? []) {
    if (patch.bytes) await file.write(patch.offset, patch.bytes);
    else await writeZeros(file, patch.offset, patch.length);
  }
  await file.sync();
  await new HeaderWriter(file, header, headerCopy).update({ logGuid: NIL_GUID, fileWriteGuid: randomUUID() });
}

async function writeZeros(file: RandomAccessFile, offset: number, length: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZEROS_AT_ONCE, length));
  for (let done = 0; done < length; done += zeros.length)
    await file.write(offset + done, zeros.subarray(0, Math.min(zeros.length, length - done)));
}
