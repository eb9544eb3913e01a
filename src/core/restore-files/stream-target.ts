import { type FileHandle, open } from 'node:fs/promises';

/** Where alternate data streams can be written. */
export interface StreamTarget {
  /** Makes a stream of a file that is not in its place yet; it goes with the file when that is renamed. */
  create(file: string | Buffer, stream: string): Promise<FileHandle>;
}

/** Windows on NTFS and ReFS: `file:stream`, which goes with its file (from documentation). */
export const windowsStreams: StreamTarget = {
  create: (file, stream) => open(`${file.toString()}:${stream}`, 'wx'),
};

/**
 * Whether a stream may be made under this name: it could otherwise lead to another file, or to what NTFS keeps for itself
 * (`x:$INDEX_ALLOCATION`). What may not is kept beside.
 */
export function isStreamName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && name.isWellFormed() && !/[:/\\*?"<>|\u0000-\u001f]/.test(name) && !/[. ]$/.test(name);
}
