import type { FileSystemInfo } from '../../src/filesystems/file-system.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { Policy } from '../../src/model/group.ts';
import { type FakeFile, fakeFileSystems, putFakeSystem } from './fake-file-system.ts';
import { anMbr } from './partition-tables.ts';
import { someBytes } from './pool-blocks.ts';
import { putSwapArea } from './swap-area.ts';

const KiB = 1024;
const CLUSTER = 4 * KiB;
const CLUSTERS = 200;
/** Where old systems began their first partition: aligned to nothing. */
const VOLUME_AT = 63 * 512;
const SWAP_AT = 896 * KiB;
const SWAP_BYTES = 128 * KiB;
const FREE = 0;
const SYSTEM = 1;
const PAGE_FILES = ['pagefile.sys', 'hiberfil.sys', 'swapfile.sys'];
const FIRST_PAGE_FILE = 2;
const FIRST_FILE = 5;
const FILES = 6;

/** What a guest does next: `a`, `b`, `c` choose what, where and how much. */
export interface GuestStep {
  readonly kind: (typeof guestSteps)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export const guestSteps = [
  'write',
  'grow',
  'shrink',
  'write-page',
  'grow-page',
  'shrink-page',
  'page-to-file',
  'file-to-page',
  'stray',
  'write-swap',
  'dirty',
  'clean',
  'hibernate',
  'wake',
  'compress',
  'uncompress',
  'grow-disk',
] as const;

/**
 * A guest's disk: a file system in a partition that is aligned to nothing, with files and page files, and swap in another. Who owns a
 * cluster is known only here: change tracking learns of writes and of nothing else, so that a cluster changes its owner unseen.
 */
export class GuestDisk {
  content = someBytes('a guest', KiB * KiB + 1000);
  readonly #owners = new Uint8Array(CLUSTERS);
  #state: { readonly journal: FileSystemInfo['journal']; readonly isCompressed: boolean } = { journal: 'clean', isCompressed: false };
  #isHibernated = false;
  #writes: ByteRange[] = [];
  #salt = 0;

  constructor() {
    const entries = [
      { type: 7, start: VOLUME_AT / 512, sectors: (CLUSTERS * CLUSTER) / 512 },
      { type: 0x82, start: SWAP_AT / 512, sectors: SWAP_BYTES / 512 },
    ];
    this.content.set(anMbr(entries));
    putFakeSystem(this.content.subarray(VOLUME_AT), 'guest');
    putSwapArea(this.content.subarray(SWAP_AT, SWAP_AT + SWAP_BYTES));
    for (let cluster = 0; cluster < CLUSTERS; cluster++) {
      this.#owners[cluster] = cluster < 2 ? SYSTEM : cluster % 50 < 20 ? FIRST_PAGE_FILE + (Math.floor(cluster / 50) % 3) : FREE;
    }
  }

  /** Writes since the last call, as change tracking tells them. */
  takeWrites(): ByteRange[] {
    return this.#writes.splice(0);
  }

  /** Its file systems, as they are at each opening. */
  fileSystems() {
    return fakeFileSystems({
      guest: () => ({
        journal: this.#state.journal,
        files: PAGE_FILES.map((name, i) => this.#fileOf(name, FIRST_PAGE_FILE + i)),
        free: () => this.#clusters(FREE),
      }),
    });
  }

  /** Where a byte is left out, told byte by byte and from nothing but the owners. */
  leftOut(leaveOut: Policy['leaveOut'], blockSize: number): Uint8Array {
    const isLeftOut = new Uint8Array(this.content.length);
    const isClean = this.#state.journal === 'clean';
    if (leaveOut.includes('pagefile') && !this.#isHibernated) isLeftOut.fill(1, SWAP_AT + CLUSTER, SWAP_AT + SWAP_BYTES);
    for (const [cluster, owner] of this.#owners.entries()) {
      const isPageFile = owner >= FIRST_PAGE_FILE && owner < FIRST_FILE && !(owner === FIRST_PAGE_FILE && this.#state.isCompressed);
      const at = VOLUME_AT + cluster * CLUSTER;
      if (isClean && isPageFile && leaveOut.includes('pagefile')) isLeftOut.fill(1, at, at + CLUSTER);
    }
    for (let block = 0; block + blockSize <= this.content.length; block += blockSize) {
      if (isClean && leaveOut.includes('free') && this.#isFree(block, blockSize)) isLeftOut.fill(1, block, block + blockSize);
    }
    return isLeftOut;
  }

  take({ kind, a, b, c }: GuestStep): void {
    const file = FIRST_FILE + (a % FILES);
    const page = FIRST_PAGE_FILE + (a % PAGE_FILES.length);
    const count = 1 + (c % 40);
    const steps: Record<GuestStep['kind'], () => void> = {
      write: () => this.#write(file, b, c),
      grow: () => this.#give(FREE, file, b, count),
      shrink: () => this.#give(file, FREE, b, count),
      'write-page': () => this.#write(page, b, c),
      'grow-page': () => this.#give(FREE, page, b, count),
      'shrink-page': () => this.#give(page, FREE, b, count),
      'page-to-file': () => this.#give(page, file, b, count),
      'file-to-page': () => this.#give(file, page, b, count),
      stray: () => this.#write(FREE, b, c),
      'write-swap': () => this.#put(SWAP_AT + CLUSTER + (b % (SWAP_BYTES - 3 * CLUSTER)), 1 + (c % CLUSTER)),
      dirty: () => this.#set({ journal: 'dirty' }),
      clean: () => this.#set({ journal: 'clean' }),
      compress: () => this.#set({ isCompressed: true }),
      uncompress: () => this.#set({ isCompressed: false }),
      hibernate: () => this.#hibernate(true),
      wake: () => this.#hibernate(false),
      'grow-disk': () => this.#grow(a % 3 === 0 ? 1 + (b % 100_000) : 0),
    };
    steps[kind]();
  }

  #fileOf(name: string, owner: number): FakeFile {
    const attributes = name === PAGE_FILES[0] && this.#state.isCompressed ? (['system', 'compressed'] as const) : (['system'] as const);
    return { name, at: this.#clusters(owner), attributes };
  }

  #clusters(owner: number): ByteRange[] {
    return [...this.#owners.keys()]
      .filter((cluster) => this.#owners[cluster] === owner)
      .map((cluster) => ({ offset: cluster * CLUSTER, length: CLUSTER }));
  }

  #isFree(start: number, length: number): boolean {
    for (let at = start; at < start + length; at += 512) {
      const cluster = Math.floor((at - VOLUME_AT) / CLUSTER);
      if (at < VOLUME_AT || cluster >= CLUSTERS || this.#owners[cluster] !== FREE) return false;
    }
    return true;
  }

  /** Clusters change their owner, from the `where`-th on; not a byte is written. */
  #give(from: number, to: number, where: number, count: number): void {
    let left = count;
    for (let i = 0; i < CLUSTERS && left > 0; i++) {
      const cluster = (where + i) % CLUSTERS;
      if (this.#owners[cluster] !== from) continue;
      this.#owners[cluster] = to;
      left -= 1;
    }
  }

  /** Writes into one cluster of an owner that has any. */
  #write(owner: number, where: number, length: number): void {
    const own = this.#clusters(owner);
    const cluster = own[where % Math.max(1, own.length)];
    if (cluster) this.#put(VOLUME_AT + cluster.offset + (length % 3) * 700, 1 + (length % 2000));
  }

  #put(offset: number, length: number): void {
    this.content.set(someBytes(`written ${this.#salt++}`, length), offset);
    this.#writes.push({ offset, length });
  }

  #set(changed: Partial<{ journal: FileSystemInfo['journal']; isCompressed: boolean }>): void {
    this.#state = { ...this.#state, ...changed };
  }

  #grow(byBytes: number): void {
    this.content = Buffer.concat([this.content, someBytes(`grown ${this.#salt++}`, byBytes)]);
  }

  #hibernate(isHibernated: boolean): void {
    this.#isHibernated = isHibernated;
    const offset = SWAP_AT + CLUSTER - 10;
    this.content.write(isHibernated ? 'S1SUSPEND\0' : 'SWAPSPACE2', offset, 'latin1');
    this.#writes.push({ offset, length: 10 });
  }
}
