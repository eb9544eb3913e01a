import { open } from 'node:fs/promises';
import { vhdChecksum } from '../../src/disks/vhd/vhd-checksum.ts';

/** Changes bytes of the footer at the end of a file (and of its copy at the start, where there is one), checksums included. */
export async function patchFooter(path: string, change: (footer: DataView) => void, { seal = true } = {}): Promise<void> {
  await using file = await open(path, 'r+');
  const { size } = await file.stat();
  for (const position of [size - 512, 0]) {
    const footer = new Uint8Array(512);
    await file.read(footer, 0, 512, position);
    if (Buffer.from(footer.subarray(0, 8)).toString('latin1') !== 'conectix') continue;
    const view = new DataView(footer.buffer);
    change(view);
    if (seal) view.setUint32(64, vhdChecksum(footer, 64));
    await file.write(footer, 0, 512, position);
  }
}

/** Changes bytes of the header of a dynamic or differencing image (at 512, where we put it), checksum included. */
export async function patchHeader(path: string, change: (header: DataView) => void, { seal = true } = {}): Promise<void> {
  await using file = await open(path, 'r+');
  const header = new Uint8Array(1024);
  await file.read(header, 0, 1024, 512);
  const view = new DataView(header.buffer);
  change(view);
  if (seal) view.setUint32(36, vhdChecksum(header, 36));
  await file.write(header, 0, 1024, 512);
}
