/** Where mabs answers otherwise than the tools that made the ground truth, on purpose; by image and path. */
export const KNOWN_DIFFERENCES: ReadonlyMap<string, string> = new Map([
  [
    'dfir_ntfs-exfat_encrypted /usual_dir/0.bin.PFILE',
    'nothing of it was ever written (ValidDataLength 0): it reads as zeros, as in Windows, and not as what its cluster held before',
  ],
]);
