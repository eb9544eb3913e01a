/** A volume's serial number of 32 bits as `blkid` and Windows write it: `0A1B-2C3D`. */
export function serialText(serial: number): string {
  const digits = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}
