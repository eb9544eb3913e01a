import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import { ReadPastEndError } from '../../lib/byte-source.ts';
import type { FileContent } from '../file-system.ts';
import type { Attribute, NonResidentAttribute } from './attributes.ts';
import { type ClusterSource, readRuns } from './cluster-source.ts';
import { compressedContent } from './compressed-content.ts';
import { damaged, fits } from './ntfs-damage.ts';
import { type NtfsFile, runsOf } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import type { RunList } from './run-list.ts';

/** The bytes of an attribute, wherever it keeps them; clusters are read from `source`. */
export async function openAttribute(
  table: RecordReader,
  file: NtfsFile,
  attribute: Attribute,
  source: ClusterSource = table.source,
): Promise<FileContent> {
  if (attribute.value !== undefined) return residentContent(attribute.value);
  const runs = await runsOf(table, file, attribute);
  if (attribute.compression === 0) return runContent(source, runs, attribute);
  if (attribute.compression !== 1) throw damaged(`file record ${file.record.number} is compressed in an unknown way`);
  return bounded(attribute.sizeBytes, compressedContent(source, runs, attribute));
}

/** What stands in memory already. */
export function residentContent(value: Uint8Array): FileContent {
  return bounded(value.length, {
    async read(offset, into) {
      into.set(value.subarray(offset, offset + into.length));
    },
    data: (range) => [range],
  });
}

/** What was never written reads as zeros, whatever lies in its clusters. */
function runContent(source: ClusterSource, runs: RunList, { sizeBytes, initializedBytes }: NonResidentAttribute): FileContent {
  const { clusterSize } = source;
  return bounded(sizeBytes, {
    async read(offset, into) {
      const written = Math.min(into.length, Math.max(0, initializedBytes - offset));
      into.fill(0, written);
      if (written > 0) await readRuns(source, runs, offset, into.subarray(0, written));
    },
    data({ offset, length }) {
      const end = Math.min(offset + length, initializedBytes);
      if (end <= offset) return [];
      const allocated = [...runs.within(Math.floor(offset / clusterSize), Math.ceil(end / clusterSize))].filter(
        ({ lcn }) => lcn !== undefined,
      );
      return allocated.map(({ vcn, clusters }) => between(vcn * clusterSize, (vcn + clusters) * clusterSize, offset, end));
    },
  });
}

/** What reads a stream within its size. */
export interface StreamReader {
  read(offset: number, into: Uint8Array): Promise<void>;
  data(range: ByteRange): readonly ByteRange[];
}

/** Keeps reads within the size, and ranges in order. */
function bounded(sizeBytes: number, reader: StreamReader): FileContent {
  return {
    sizeBytes,
    async read(offset, into) {
      if (!Number.isSafeInteger(offset) || !fits(offset, into.length, sizeBytes)) {
        throw new ReadPastEndError('the file', offset, into.length, sizeBytes);
      }
      if (into.length > 0) await reader.read(offset, into);
    },
    async data({ offset, length }) {
      const end = Math.min(offset + length, sizeBytes);
      return end <= offset ? [] : normalizeRanges(reader.data({ offset, length: end - offset }));
    },
  };
}

/** The part of `start` to `stop` that lies between `offset` and `end`. */
function between(start: number, stop: number, offset: number, end: number): ByteRange {
  const from = Math.max(start, offset);
  return { offset: from, length: Math.min(stop, end) - from };
}
