/** Turns a name into what is compared. */
export type UpCase = (name: string) => string;

/** Unicode's mappings of one character to one: for FAT, which keeps no table, and where a volume's own is damaged. */
export const unicodeUpCase: UpCase = (name) =>
  Array.from({ length: name.length }, (_, at) => {
    const upper = name[at]!.toUpperCase();
    return upper.length === 1 ? upper : name[at]!;
  }).join('');
