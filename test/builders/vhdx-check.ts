import { compareWithQemu, hasQemuImg, qemuImg } from './qemu-img.ts';

/** An independent reader finds the image in order and sees `content` in it; nothing is claimed where qemu-img is missing. */
export async function expectQemuAgrees(path: string, content: Uint8Array): Promise<void> {
  if (!hasQemuImg) return;
  await qemuImg('check', '-q', '-f', 'vhdx', path);
  await compareWithQemu(path, 'vhdx', content);
}
