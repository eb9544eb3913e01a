/** Consecutive blocks of a file that lie together on the volume. */
export interface BlockRun {
  /** Number of the first one within the file. */
  readonly first: number;
  readonly count: number;
  /** Number of the first one on the volume. */
  readonly block: number;
  /** If not, it is allocated but reads as zero. */
  readonly isWritten: boolean;
}
