import { type ByteRange, coversByte } from '../../lib/byte-range.ts';
import { DIGEST_BYTES, type SealedPack } from '../block.ts';
import type { DiskWriteRequest, DiskWriteResult } from '../pool.ts';
import type { DiskMapReader } from './disk-map-reader.ts';
import { DiskMapWriter } from './disk-map-writer.ts';
import { BlockState, WINDOW_SLOTS, WindowMemory } from './disk-window.ts';
import type { ThreadPorts, WritableBlocks } from './engine-ports.ts';
import { createControl } from './engine-task.ts';
import type { EngineThreads } from './engine-threads.ts';
import { blockLength, MAP_FAN_OUT, MAP_PAGE_BYTES, type MapGeometry } from './map-geometry.ts';
import { cutPage, digestAt, isZeroDigest } from './map-page.ts';
import { MapPageStore } from './map-page-store.ts';
import { PIPELINE_SLOTS, runPipeline } from './pipeline.ts';
import { type PlannedRange, type PlannedWindow, WindowPlanner } from './plan-windows.ts';
import { ProgressMeter } from './progress-meter.ts';
import { RunTable } from './run-table.ts';
import type { ScanParameters, ScanSummary } from './scan-task.ts';
import { Team } from './team.ts';

/** Bounds of a run, which tests lower. */
export interface WriteLimits {
  /** Digests that a run holds; past it, what was stored is indexed and they are forgotten. */
  readonly runTableDigests: number;
  /** After so many bytes stored, packs are sealed and indexed: an interrupted run sends about as much again and no more. */
  readonly indexEveryBytes: number;
  /** Less than this is done in the calling thread: waking workers would take longer. */
  readonly inlineBytes: number;
}

export const writeLimits: WriteLimits = { runTableDigests: 131_072, indexEveryBytes: 1024 ** 3, inlineBytes: 8 * 1024 * 1024 };

export interface WriteRunRequest {
  readonly threads: EngineThreads;
  readonly blocks: WritableBlocks;
  readonly ports: ThreadPorts;
  readonly request: DiskWriteRequest;
  readonly geometry: MapGeometry;
  readonly base: DiskMapReader | undefined;
  readonly leftOut: readonly ByteRange[];
  /** Whole blocks, normalized: something of them is left out on one side only, so that a difference says nothing. */
  readonly oneSided: readonly ByteRange[];
  readonly lostPages: ReadonlySet<string>;
  readonly ranges: readonly PlannedRange[];
  readonly rewrittenLeaves: readonly number[];
  readonly baseDataBytes: number;
  readonly limits: WriteLimits;
}

type Totals = { -readonly [Field in keyof Omit<DiskWriteResult, 'root'>]: number };

/** One disk being written. */
export class WriteRun {
  readonly #given: WriteRunRequest;
  readonly #control = createControl();
  readonly #runTable: RunTable;
  readonly #planner: WindowPlanner;
  readonly #pages: MapPageStore;
  readonly #map: DiskMapWriter;
  readonly #totals: Totals;
  readonly #totalBytes: number;
  #team: Team<'scan'>;
  #storedSinceIndexed = 0;

  constructor(given: WriteRunRequest) {
    const { request, geometry, base, leftOut, ranges, ports, blocks, lostPages } = given;
    this.#given = given;
    this.#runTable = RunTable.create(given.limits.runTableDigests);
    this.#planner = new WindowPlanner({ source: request.source, geometry, base, ranges, leftOut });
    this.#pages = new MapPageStore(ports, blocks, { lostPages, readStored: request.mend === true });
    this.#map = new DiskMapWriter(geometry, base, (page, digest) => this.#pages.put(page, digest), given.rewrittenLeaves);
    this.#totalBytes = ranges.reduce((sum, { length }) => sum + length, 0);
    this.#team = this.#newTeam();
    this.#totals = {
      ...{ dataBytes: given.baseDataBytes, bytesScanned: 0, bytesSampled: 0, bytesChanged: 0, blocksDiffering: 0 },
      ...{ bytesTransferred: 0, bytesStored: 0, sampleMismatches: 0, blocksMended: 0 },
    };
  }

  async run(): Promise<DiskWriteResult> {
    const { request, geometry } = this.#given;
    using meter = new ProgressMeter(this.#control, { blockSize: geometry.blockSize, totalBytes: this.#totalBytes }, request);
    const memories = Array.from({ length: PIPELINE_SLOTS }, () => new WindowMemory());
    try {
      await runPipeline<PlannedWindow, ScanSummary[]>({
        plan: async (slot) => await this.#plan(memories[slot]!, meter),
        run: (window) => this.#runWindow(window),
        take: (window, summaries) => this.#take(window, summaries),
        mustRenew: () => this.#runTable.count + WINDOW_SLOTS * PIPELINE_SLOTS > this.#given.limits.runTableDigests,
        renew: () => this.#renew(),
      });
      const root = await this.#map.finish();
      await this.#index([...(await this.#team.finish()), ...(await this.#pages.finish())]);
      meter.finish();
      return { root: Buffer.from(root).toString('hex'), ...this.#totals };
    } finally {
      await this.#team.close();
      await this.#pages.abort();
    }
  }

  #newTeam(): Team<'scan'> {
    const { threads, blocks, request } = this.#given;
    const parameters: ScanParameters = {
      files: request.source.files,
      blockSize: blocks.blockSize,
      ...(blocks.keys ? { keys: blocks.keys } : {}),
      control: this.#control,
      store: {
        compressionLevel: blocks.compressionLevel,
        verifyNew: request.verifyNew,
        runTable: this.#runTable.memory,
        readStored: request.mend === true,
      },
    };
    const access = { read: (offset: number, into: Uint8Array) => request.source.read(offset, into) };
    return new Team({ kind: 'scan', parameters, threads, blocks, access });
  }

  async #plan(memory: WindowMemory, meter: ProgressMeter): Promise<PlannedWindow | undefined> {
    meter.throwIfStopped();
    const window = await this.#planner.next(memory);
    meter.passedBytes += window?.emptyBytes ?? 0;
    meter.tick();
    return window;
  }

  async #runWindow(window: PlannedWindow): Promise<ScanSummary[]> {
    const sealFirst = this.#storedSinceIndexed >= this.#given.limits.indexEveryBytes;
    if (sealFirst) this.#storedSinceIndexed = 0;
    if (window.chunkCount === 0) return [];
    const small = this.#planner.done && !this.#team.atWork && window.scannedBytes + window.sampledBytes <= this.#given.limits.inlineBytes;
    return await this.#team.run({ ...window, sealFirst }, { inline: window.opaque || small });
  }

  async #take(window: PlannedWindow, summaries: readonly ScanSummary[]): Promise<void> {
    const totals = this.#totals;
    totals.bytesScanned += window.scannedBytes;
    totals.bytesSampled += window.sampledBytes;
    totals.sampleMismatches += window.sampleMismatches;
    for (const summary of summaries) {
      totals.bytesTransferred += summary.bytesTransferred;
      totals.blocksMended += summary.blocksMended;
      totals.sampleMismatches += summary.sampleMismatches;
      this.#storedSinceIndexed += summary.bytesStored;
    }
    for (const [place, index] of window.pages.entries()) await this.#takePage(window, place, index);
    const sealed = summaries.flatMap((summary) => summary.sealed);
    if (sealed.length > 0) await this.#index(sealed);
  }

  /** Puts what was found on a leaf page into the map, and counts it. */
  async #takePage({ known, found, states }: PlannedWindow, place: number, index: number): Promise<void> {
    const { geometry, base, oneSided } = this.#given;
    const first = place * MAP_FAN_OUT;
    const page = Uint8Array.from(known.subarray(first * DIGEST_BYTES, first * DIGEST_BYTES + MAP_PAGE_BYTES));
    let differs = false;
    for (let i = 0; i < MAP_FAN_OUT; i += 1) {
      if (states[first + i] !== BlockState.differs) continue;
      differs = true;
      const block = index * MAP_FAN_OUT + i;
      const length = blockLength(geometry, block);
      if (!coversByte(oneSided, block * geometry.blockSize)) {
        this.#totals.blocksDiffering += 1;
        this.#totals.bytesChanged += length;
      }
      if (base && !isZeroDigest(digestAt(page, i))) this.#totals.dataBytes -= blockLength(base.geometry, block);
      digestAt(page, i).set(digestAt(found, first + i));
      if (!isZeroDigest(digestAt(page, i))) this.#totals.dataBytes += length;
    }
    cutPage(page, geometry.blocks - index * MAP_FAN_OUT);
    if (differs) await this.#map.setLeaf(index, page);
  }

  async #index(packs: readonly SealedPack[]): Promise<void> {
    for (const { sizeBytes } of packs) this.#totals.bytesStored += sizeBytes;
    if (packs.length > 0) await this.#given.blocks.indexPacks(packs);
  }

  /** Indexes what was stored, so that new tasks find it there, and empties the table of the run. */
  async #renew(): Promise<void> {
    await this.#index(await this.#team.finish());
    await this.#team.close();
    this.#storedSinceIndexed = 0;
    this.#runTable.clear();
    this.#team = this.#newTeam();
  }
}
