import { type AttributeListEntry, MOST_LIST_BYTES, parseAttributeList } from './attribute-list.ts';
import { ATTRIBUTE, type Attribute, type NonResidentAttribute } from './attributes.ts';
import { readRuns } from './cluster-source.ts';
import type { FileRecord } from './file-record.ts';
import { damaged } from './ntfs-damage.ts';
import type { RecordReader } from './record-reader.ts';
import { RunList } from './run-list.ts';

/** The records of one file that are held at once. Windows bounds the list of its attributes at 256 KiB: 8192 entries at most. */
const MOST_PARTS_BYTES = 16 * 1024 * 1024;

/** A file with its attributes from all its records; of what is not resident the first part. */
export interface NtfsFile {
  readonly record: FileRecord;
  readonly attributes: readonly Attribute[];
  /** Where the parts lie; absent for a file of one record. */
  readonly list?: readonly AttributeListEntry[];
}

/** Reads a file's record, and those of its attribute list. `sequence`, where not 0, must be the record's: else the name that leads here is stale. */
export async function loadFile(table: RecordReader, number: number, sequence = 0): Promise<NtfsFile> {
  const record = await table.record(number);
  if (record.base !== 0) throw damaged(`file record ${number} is a part of another file`);
  if (sequence !== 0 && record.sequence !== sequence) throw damaged(`file record ${number} belongs to another file by now`);
  return await loadParts(table, record);
}

/** The attributes in the further records of a file, joined to those in its first one. */
export async function loadParts(table: RecordReader, record: FileRecord): Promise<NtfsFile> {
  const listed = record.attributes.find(({ type }) => type === ATTRIBUTE.attributeList);
  if (!listed) return { record, attributes: record.attributes };
  const list = parseAttributeList(listed.value ?? (await readList(table, listed)));
  const attributes = record.attributes.filter(isFirstPart);
  const seen = new Set([record.number]);
  for (const entry of list) {
    if (entry.firstVcn !== 0 || seen.has(entry.record.number)) continue;
    seen.add(entry.record.number);
    if (seen.size * table.geometry.recordSize > MOST_PARTS_BYTES) throw damaged(`file record ${record.number} has too many parts`);
    attributes.push(...(await partRecord(table, record, entry)).attributes.filter(isFirstPart));
  }
  return { record, attributes, list };
}

/** The attribute of this type and name, if the file has it. */
export function findAttribute(file: NtfsFile, type: number, name = ''): Attribute | undefined {
  return file.attributes.find((attribute) => attribute.type === type && attribute.name === name);
}

/** Where all the clusters of an attribute lie. */
export async function runsOf(table: RecordReader, file: NtfsFile, attribute: NonResidentAttribute): Promise<RunList> {
  const runs = new RunList(table.geometry.clusters);
  runs.append(attribute.pairs, attribute.endVcn);
  await addParts(table, file, attribute, runs);
  return runs;
}

/** Adds the parts that follow the first one. */
export async function addParts(table: RecordReader, file: NtfsFile, { type, name }: Attribute, runs: RunList): Promise<void> {
  for (const entry of file.list ?? []) {
    if (entry.type !== type || entry.name !== name || entry.firstVcn === 0) continue;
    const record = entry.record.number === file.record.number ? file.record : await partRecord(table, file.record, entry);
    const part = record.attributes.find(
      (other) => other.type === type && other.name === name && other.value === undefined && other.firstVcn === entry.firstVcn,
    );
    if (part?.value !== undefined || part?.firstVcn !== runs.clusters) {
      throw damaged(`a part of file record ${file.record.number} is missing at cluster ${runs.clusters}`);
    }
    runs.append(part.pairs, part.endVcn);
  }
}

const isFirstPart = (attribute: Attribute): boolean => attribute.value !== undefined || attribute.firstVcn === 0;

async function partRecord(
  table: RecordReader,
  base: FileRecord,
  { record: { number, sequence } }: AttributeListEntry,
): Promise<FileRecord> {
  const record = await table.record(number);
  if (record.base !== base.number || record.sequence !== sequence) {
    throw damaged(`file record ${number} is not the part of file record ${base.number} that its list names`);
  }
  return record;
}

/** The list itself may lie in clusters, but never in parts. */
async function readList(table: RecordReader, { pairs, endVcn, sizeBytes }: NonResidentAttribute): Promise<Uint8Array> {
  const runs = new RunList(table.geometry.clusters);
  runs.append(pairs, endVcn);
  if (sizeBytes > MOST_LIST_BYTES || sizeBytes > endVcn * table.geometry.clusterSize)
    throw damaged(`an attribute list of ${sizeBytes} bytes`);
  const bytes = new Uint8Array(sizeBytes);
  await readRuns(table.source, runs, 0, bytes);
  return bytes;
}
