import type { Geometry } from './boot-sector.ts';
import type { ClusterSource } from './cluster-source.ts';
import type { FileRecord } from './file-record.ts';

/** The master file table as its readers need it. */
export interface RecordReader {
  /** Metadata of the volume: small reads are kept. */
  readonly source: ClusterSource;
  readonly geometry: Geometry;
  /** A record that is in use, of a file or of a part of one; rejects with kind `damaged` otherwise. */
  record(number: number): Promise<FileRecord>;
}
