import type { DiskFormatName } from '../disks/disk-format.ts';
import type { ByteRange } from '../lib/byte-range.ts';
import { MabsError } from '../lib/errors.ts';
import type { Consistency, ConsistencyPolicy, VmState, WhenNotOnline } from '../model/consistency.ts';

/** A VM as its host shows it now. */
export interface HostVm {
  /** The VM's GUID, lower case. Outlives renames and migrations. */
  readonly id: string;
  readonly name: string;
  readonly generation: 1 | 2;
  readonly state: VmState;
  readonly os: 'windows' | 'linux' | 'other';
  readonly integrationServices?: { readonly version: string; readonly vss: boolean };
  readonly disks: readonly HostDisk[];
  readonly replication?: { readonly mode: string; readonly state: string; readonly health: string };
  /** User checkpoints on the VM (host checkpoints in mabs' words). */
  readonly hostCheckpoints: readonly { readonly id: string; readonly name: string }[];
  /** What a capture taken now would guarantee under `prefer-application`. */
  readonly consistency: Consistency;
  /** The definition as readable JSON, whole and as the host keeps it. */
  readonly configuration: unknown;
}

/** No VM of this id is on the host (any more). */
export class HostVmUnknownError extends MabsError {
  readonly code = 'MABS-HOST-VM-UNKNOWN';
  readonly hint = 'See what the host has with: mabs vm list';
  constructor(host: string, vmId: string) {
    super(`${host} has no VM with the id ${vmId}`);
  }
}

/** The host cannot be reached, or is no longer there. */
export class HostUnreachableError extends MabsError {
  readonly code = 'MABS-HOST-UNREACHABLE';
  readonly hint: string;
  override readonly kind = 'prerequisite';
  constructor(host: string, why: string, options?: ErrorOptions) {
    super(`host ${host} cannot be reached: ${why}`, options);
    this.hint = `Mend that, then see whether it answers: mabs host check ${host}`;
  }
}

/** A path names no folder that the host lets be written. */
export class HostFolderError extends MabsError {
  readonly code = 'MABS-HOST-FOLDER';
  readonly hint = 'Name a folder of the host, like --to host-folder:HOST:restored/web01.';
  override readonly kind = 'usage';
  constructor(host: string, path: string, why: string) {
    super(`${path} is no folder to recover into on host ${host}: ${why}`);
  }
}

export interface HostDisk {
  /** The disk's identity within its VM: its id on the host, else its path when first seen. Never its position or ids inside the image. */
  readonly key: string;
  readonly controller: string;
  /** Absolute path of the image that the VM uses (the leaf of a chain of user checkpoints). */
  readonly path: string;
  /** Size of the virtual disk; 0 when the image cannot be described (`problem` says why). */
  readonly virtualSize: number;
  readonly format: DiskFormatName;
  readonly problem?: string;
}

export interface Finding {
  readonly code: `MABS-${string}`;
  readonly severity: 'blocks' | 'warns' | 'info';
  readonly message: string;
  readonly hint: string;
  readonly vm?: string;
}

export interface CaptureRequest {
  /** Made by the caller and journaled before `capture` is called, so that what a crash leaves can be named. */
  readonly captureId: string;
  readonly consistency: ConsistencyPolicy;
  readonly whenNotOnline: WhenNotOnline;
  /** Called as soon as the host named what it made (snapshot ids, jobs); the caller makes it durable before it answers. */
  readonly journal: (facts: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Which ranges of a disk may differ from a base, or why nobody knows. */
export type ChangedRanges = { readonly ranges: readonly ByteRange[] } | { readonly unknown: string };

export interface CapturedDisk {
  readonly key: string;
  /** Position among the VM's disks at the capture, from 0. */
  readonly index: number;
  readonly controller: string;
  /** The path that the VM uses, for people and for recovery to original. */
  readonly path: string;
  /** The image to read: frozen until release. Differencing images find their parents by themselves. */
  readonly frozenPath: string;
  readonly format: DiskFormatName;
  /** Change-tracking identity at the freeze, where the host knows it by now. */
  readonly trackingId?: string;
  /** Ranges that may have changed since `baseId`, a `trackingId` of an earlier capture of this disk. Never throws for lost tracking. */
  changedSince(baseId: string | undefined): Promise<ChangedRanges>;
}

/** A consistent, temporary view of a VM. It lives until `release`, which must be called once, whatever happened. */
export interface Capture {
  readonly id: string;
  readonly vm: HostVm;
  readonly capturedAt: number;
  readonly consistency: Consistency;
  /** Why consistency is lower than asked, where it is. */
  readonly consistencyReason?: string;
  readonly disks: readonly CapturedDisk[];
  /** Configuration files as they lie on the host, small. */
  readonly configurationFiles: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /**
   * Gives the view up after every handle on `frozenPath` was closed. `committed`: the backup was stored. Backup done and merge
   * done are two outcomes: a merge that failed is told, not thrown, and is tried again by `releaseLeftover`.
   */
  release(outcome: { readonly committed: boolean }): Promise<ReleaseOutcome>;
}

export interface ReleaseOutcome {
  readonly merged: boolean;
  readonly problem?: { readonly code: `MABS-${string}`; readonly message: string; readonly hint: string };
}

/** What the caller journaled of a capture whose job died. */
export interface LeftoverCapture {
  readonly captureId: string;
  readonly vmId: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Where a recovered disk has to be written, and in which format. The file does not exist yet. */
export interface RecoveryDiskTarget {
  /** The point's disk. */
  readonly key: string;
  readonly path: string;
  readonly format: DiskFormatName;
}

export interface RecoveryDisk {
  readonly key: string;
  readonly index: number;
  readonly controller: string;
  /** Path when captured, on the host it came from. */
  readonly path: string;
  readonly format: DiskFormatName;
  readonly virtualSize: number;
}

export interface RecoveredVm {
  /** The VM's definition as captured (`HostVm.configuration`). */
  readonly configuration: unknown;
  readonly id: string;
  readonly name: string;
  readonly generation: 1 | 2;
  readonly disks: readonly RecoveryDisk[];
}

/** A recovery on a host: disks are written to `targets` by the caller, then `apply` or `abandon` ends it. */
export interface HostRecovery {
  readonly vmId: string;
  readonly vmName: string;
  readonly targets: readonly RecoveryDiskTarget[];
  /** Plain data from which `abandonLeftover` cleans up after a crash, whole; journaled by the caller before a byte is written. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Swaps the new disks in (original) or registers the new VM. All or nothing. */
  apply(): Promise<{ readonly paths: readonly { readonly key: string; readonly path: string }[]; readonly keptOld: readonly string[] }>;
  /** Removes what was written; the VM is as it was before. */
  abandon(): Promise<void>;
}

export interface OriginalRecoveryRequest {
  readonly recoveryId: string;
  readonly vm: RecoveredVm;
  /** How long the replaced disks stay, in milliseconds; `removeExpired` removes them later. */
  readonly keepOldMs: number;
  readonly checkpoints: 'set-aside' | 'refuse';
  readonly start: boolean;
  /** Called with the facts from which `abandonLeftover` cleans up, before anything is made on the host; the caller makes them durable. */
  readonly journal: (facts: Readonly<Record<string, unknown>>) => Promise<void>;
}

export interface NewVmRecoveryRequest {
  readonly recoveryId: string;
  readonly vm: RecoveredVm;
  /** Name of the new VM; `vm.name` when absent. It always gets a new id. */
  readonly name?: string;
  /** Folder on the host for the VM's files, the host's default when absent. */
  readonly path?: string;
  readonly network: 'disconnect' | 'keep' | Readonly<Record<string, string>>;
  readonly highlyAvailable: boolean;
  readonly start: boolean;
  /** Called with the facts from which `abandonLeftover` cleans up, before anything is made on the host; the caller makes them durable. */
  readonly journal: (facts: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** Where VMs run, in the administrator's words. */
export interface Host extends AsyncDisposable {
  readonly name: string;
  readonly type: string;
  listVms(): Promise<HostVm[]>;
  check(): Promise<Finding[]>;
  capture(vmId: string, request: CaptureRequest): Promise<Capture>;
  /** Removes what a capture whose job died left on the host: merges, resumes the VM. Idempotent; nothing left is a success. */
  releaseLeftover(leftover: LeftoverCapture): Promise<ReleaseOutcome>;
  beginOriginalRecovery(request: OriginalRecoveryRequest): Promise<HostRecovery>;
  beginNewVmRecovery(request: NewVmRecoveryRequest): Promise<HostRecovery>;
  /** Cleans up after a recovery whose job died, from its journaled facts. Idempotent. */
  abandonLeftover(facts: Readonly<Record<string, unknown>>): Promise<void>;
  /**
   * A folder of the host, as an absolute path that this process can write to; it need not be there yet. MABS-HOST-FOLDER for a path
   * that is none of the host's, MABS-HOST-UNREACHABLE when the host is not there.
   */
  reachFolder(path: string): Promise<string>;
  /** Removes replaced disks whose time is over; answers the paths removed. */
  removeExpired(now: number): Promise<string[]>;
}

/** How a host is reached; kept in the home. */
export type HostConfiguration =
  | { readonly name: string; readonly type: 'lab'; readonly path: string }
  | { readonly name: string; readonly type: 'powershell'; readonly computer?: string };

/** One write of a guest. */
export interface GuestWrite {
  /** `diskN` by position, or a disk's key. */
  readonly disk: string;
  /** In this order; what is written later wins. */
  readonly pieces: readonly GuestPiece[];
}

/** Bytes that a guest puts at a position of its virtual disk: zeros, or what `read` answers when their turn comes. */
export interface GuestPiece {
  readonly offset: number;
  readonly length: number;
  readonly content: 'zero' | { read(): Promise<Uint8Array> };
}

export interface GuestWriteReport {
  readonly vm: string;
  readonly disk: string;
  readonly key: string;
  readonly bytesWritten: number;
  readonly pieces: number;
  /** Where the bytes went: the disk itself, or the differencing disk over it while a capture reads the disk. */
  readonly path: string;
  /** The new change-tracking id; absent when the disk carries no tracking. */
  readonly trackingId?: string;
}

export type VmAction = 'start' | 'stop' | 'save' | 'pause' | 'crash';

/** Drives a simulated host: what its guests and its administrator do. Each method is one step for other processes. */
export interface SimulatedHost extends AsyncDisposable {
  readonly path: string;
  /** The VM whose definition lies in the folder of this name; MABS-HOST-VM-UNKNOWN. */
  vmInFolder(folderName: string): Promise<HostVm>;
  write(vmId: string, write: GuestWrite): Promise<GuestWriteReport>;
  /** `start`: from off, saved or paused. `stop`: a clean shutdown. `save`: to disk. `pause`: held in memory. `crash`: power cut. */
  setState(vmId: string, action: VmAction): Promise<{ readonly vm: string; readonly from: VmState; readonly to: VmState }>;
  /** The faults that are on for a VM, after `change`. */
  faults(vmId: string, change?: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<string[]>;
  /**
   * Rejects with MABS-DISK-IN-USE when nobody may read an image now, as on Windows: it is the disk of a running or paused VM, or
   * the differencing disk over it.
   */
  assertReadable(path: string): Promise<void>;
  /** The sample VMs that `makeSampleVms` knows. */
  readonly sampleVms: readonly { readonly name: string; readonly description: string }[];
  /** Makes sample VMs with disks that hold real files; a folder of that name must not be there. */
  makeSampleVms(names: readonly string[], state: VmState): Promise<HostVm[]>;
}

/** Opens hosts of every kind. */
export interface HostKinds {
  open(configuration: HostConfiguration): Promise<Host>;
  /** Opens the folder of a simulated host to drive it; it is made when `create` says so. */
  openSimulated(path: string, options?: { readonly create?: boolean }): Promise<SimulatedHost>;
}
