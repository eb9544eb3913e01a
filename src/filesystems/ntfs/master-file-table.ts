import { MabsError } from '../../lib/errors.ts';
import { ATTRIBUTE } from './attributes.ts';
import type { Geometry } from './boot-sector.ts';
import { type ClusterSource, readRuns } from './cluster-source.ts';
import { type FileRecord, parseFileRecord } from './file-record.ts';
import { damaged } from './ntfs-damage.ts';
import { addParts, loadParts } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { RunList } from './run-list.ts';

/** Parsed records that are kept. */
const RECENT_RECORDS = 64;

/** The file that holds a record for each file, itself among them. */
export class MasterFileTable implements RecordReader {
  readonly source: ClusterSource;
  readonly geometry: Geometry;
  readonly notes: readonly string[];
  readonly #runs: RunList;
  /** A file is looked at several times in a row: for what it is, its content, what is kept beside it. */
  readonly #recent = new Map<number, Promise<FileRecord>>();
  #sizeBytes: number;

  private constructor(source: ClusterSource, geometry: Geometry, runs: RunList, sizeBytes: number, notes: readonly string[]) {
    this.source = source;
    this.geometry = geometry;
    this.notes = notes;
    this.#runs = runs;
    this.#sizeBytes = sizeBytes;
  }

  /** Finds the whole table by its own record; by the mirror's where that one is damaged. */
  static async open(source: ClusterSource, geometry: Geometry): Promise<MasterFileTable> {
    const { record, notes } = await firstRecord(source, geometry);
    const data = record.attributes.find(({ type, name }) => type === ATTRIBUTE.data && name === '');
    if (!data || data.value !== undefined || data.firstVcn !== 0) throw damaged('the master file table does not say where it lies');
    const runs = new RunList(geometry.clusters);
    runs.append(data.pairs, data.endVcn);
    const table = new MasterFileTable(source, geometry, runs, data.sizeBytes, notes);
    // Its own further parts lie where the first ones say: each is read through those before it.
    await addParts(table, await loadParts(table, record), data, runs);
    table.#sizeBytes = Math.min(data.sizeBytes, data.initializedBytes, runs.clusters * geometry.clusterSize);
    return table;
  }

  /** Number of records. */
  get length(): number {
    return Math.floor(this.#sizeBytes / this.geometry.recordSize);
  }

  record(number: number): Promise<FileRecord> {
    const kept = this.#recent.get(number);
    const found = kept ?? this.#read(number);
    this.#recent.delete(number);
    this.#recent.set(number, found);
    if (!kept) {
      found.catch(() => this.#recent.delete(number));
      if (this.#recent.size > RECENT_RECORDS) this.#recent.delete(this.#recent.keys().next().value!);
    }
    return found;
  }

  async #read(number: number): Promise<FileRecord> {
    const { recordSize } = this.geometry;
    if (number >= this.length) throw damaged(`there is no file record ${number}`);
    const bytes = new Uint8Array(recordSize);
    await readRuns(this.source, this.#runs, number * recordSize, bytes);
    const record = parseFileRecord(bytes, number);
    if (!record.isInUse) throw damaged(`file record ${number} is not in use`);
    return record;
  }
}

async function firstRecord(source: ClusterSource, geometry: Geometry): Promise<{ record: FileRecord; notes: string[] }> {
  const read = async (offset: number): Promise<FileRecord> => {
    const bytes = new Uint8Array(geometry.recordSize);
    await source.volume.read(offset, bytes);
    return parseFileRecord(bytes, 0);
  };
  try {
    return { record: await read(geometry.mftOffset), notes: [] };
  } catch (error) {
    if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
    const record = await read(geometry.mirrorOffset).catch(() => {
      throw error;
    });
    return { record, notes: ['The first record of the master file table is damaged; its mirror was used.'] };
  }
}
