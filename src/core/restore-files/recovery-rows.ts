import type { RecoveredFile, RecoverFilesReport } from '../recovered-files.ts';

type Counts = { -readonly [Name in keyof RecoverFilesReport['counts']]: number };

/** Rows of each sort that a report holds: memory, and what a person or a script can use. */
const MOST_ROWS = 10_000;

/** What became of each file: all of them counted, the first ten thousand listed, and as many of those that need a look. */
export class RecoveryRows {
  readonly counts: Counts = { files: 0, folders: 0, links: 0, skipped: 0, failed: 0, renamed: 0, bytesWritten: 0, notListed: 0 };
  readonly #plain: RecoveredFile[] = [];
  readonly #notable: RecoveredFile[] = [];
  #onlyFailure: unknown;

  /** `thrown`: what made it fail, as it came. */
  add(row: RecoveredFile, thrown?: unknown): void {
    this.#count(row);
    if (row.status === 'failed' && this.counts.failed === 1) this.#onlyFailure = thrown;
    const notable = (row.status !== 'ok' && row.status !== 'planned') || row.error !== undefined || row.originalName !== undefined;
    const rows = notable ? this.#notable : this.#plain;
    // A folder that is plainly there says nothing that its files do not say.
    if (row.type === 'dir' && rows === this.#plain && row.status === 'ok') return;
    if (rows.length < MOST_ROWS) rows.push(row);
    else this.counts.notListed += 1;
  }

  /** Those that need a look first. */
  get files(): RecoveredFile[] {
    return [...this.#notable, ...this.#plain];
  }

  get notable(): readonly RecoveredFile[] {
    return this.#notable;
  }

  /** What was thrown where one thing was wanted and exactly that failed. */
  get onlyFailure(): unknown {
    const { files, folders, links, skipped, failed } = this.counts;
    return failed === 1 && files + folders + links + skipped === 0 && this.#notable.length === 1 ? this.#onlyFailure : undefined;
  }

  #count({ type, status, bytesWritten, originalName, error }: RecoveredFile): void {
    const { counts } = this;
    counts.bytesWritten += bytesWritten;
    if (originalName !== undefined && status !== 'failed') counts.renamed += 1;
    if (error) counts.failed += 1;
    if (status === 'failed') return;
    if (status !== 'ok' && status !== 'planned') counts.skipped += 1;
    else if (type === 'dir') counts.folders += 1;
    else if (type === 'link') counts.links += 1;
    else counts.files += 1;
  }
}
