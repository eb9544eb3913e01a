import { createCipheriv, hash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { GuestPiece, GuestWriteReport } from '../hosts/host.ts';
import { type LabPorts, withLabVm } from './lab-target.ts';

const MiB = 1024 ** 2;
/** A file is read in pieces of this size. */
const PIECE = 4 * MiB;
const SECTOR = 512;

/** What a guest writes, and where. */
export type LabWrite = { readonly disk: string } & (
  | { readonly kind: 'bytes'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly offset: number; readonly file: string }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }
  | { readonly kind: 'random'; readonly offset: number; readonly length: number; readonly seed: string }
  | { readonly kind: 'scattered'; readonly count: number; readonly maxLength: number; readonly seed: string }
);

/** Writes to a simulated VM's disk as its guest would. */
export function writeToLab(lab: LabPorts, target: string, write: LabWrite): Promise<GuestWriteReport> {
  return withLabVm(lab, target, async (host, vm) => {
    const index = Number(/^(?:disk)?(\d+)$/.exec(write.disk)?.[1]);
    const disk = vm.disks.find(({ key }) => key === write.disk) ?? vm.disks[index];
    return host.write(vm.id, { disk: write.disk, pieces: await piecesOf(write, disk?.virtualSize ?? 0) });
  });
}

async function piecesOf(write: LabWrite, virtualSize: number): Promise<GuestPiece[]> {
  if (write.kind === 'bytes') return [{ offset: write.offset, length: write.bytes.length, content: { read: async () => write.bytes } }];
  if (write.kind === 'zero') return [{ offset: write.offset, length: write.length, content: 'zero' }];
  if (write.kind === 'file') return filePieces(write.file, write.offset);
  if (write.kind === 'random')
    return [...cut(write.offset, write.length)].map((range) => ({ ...range, content: noise(write.seed, range.offset, range.length) }));
  return scatter(write, virtualSize);
}

async function filePieces(file: string, offset: number): Promise<GuestPiece[]> {
  const { size } = await stat(file);
  return [...cut(offset, size)].map((range) => ({
    ...range,
    content: { read: () => readPart(file, range.offset - offset, range.length) },
  }));
}

async function readPart(file: string, position: number, length: number): Promise<Uint8Array> {
  await using handle = await open(file, 'r');
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`${file} became shorter while it was read`);
    done += bytesRead;
  }
  return bytes;
}

function* cut(offset: number, length: number): Generator<{ offset: number; length: number }> {
  for (let done = 0; done < length; done += PIECE) yield { offset: offset + done, length: Math.min(PIECE, length - done) };
}

/** Whole sectors at places that the seed names. The first and the last MiB of a disk, where partition tables lie, are left alone. */
function scatter({ count, maxLength, seed }: LabWrite & { kind: 'scattered' }, virtualSize: number): GuestPiece[] {
  const margin = virtualSize > 4 * MiB ? MiB : 0;
  const sectors = Math.floor((virtualSize - 2 * margin) / SECTOR);
  const longest = Math.max(1, Math.min(Math.floor(maxLength / SECTOR), sectors));
  const numbers = Buffer.from(keystream(`places ${seed}`, count * 12));
  return Array.from({ length: sectors > 0 ? count : 0 }, (_, index) => {
    const length = 1 + (numbers.readUInt32LE(index * 12) % longest);
    const first = Number(numbers.readBigUInt64LE(index * 12 + 4) % BigInt(sectors - length + 1));
    return { offset: margin + first * SECTOR, length: length * SECTOR, content: noise(`${seed} ${index}`, 0, length * SECTOR) };
  });
}

function noise(seed: string, position: number, length: number): { read(): Promise<Uint8Array> } {
  return { read: async () => keystream(`${seed} at ${position}`, length) };
}

/** Bytes that look like chance and are the same for the same seed. */
function keystream(seed: string, length: number): Uint8Array {
  return createCipheriv('aes-128-ctr', hash('sha256', seed, 'buffer').subarray(0, 16), Buffer.alloc(16)).update(Buffer.alloc(length));
}
