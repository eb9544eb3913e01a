import { MabsError } from '../../lib/errors.ts';

export type ProbeStatus = 'ok' | 'warn' | 'failed';

/** One thing that was looked at. */
export interface ProbeCheck {
  readonly name: 'partition table' | 'volumes' | 'file system' | 'journal' | 'free space' | 'boot loader' | 'system files' | 'guest system';
  /** What it is about: `/disk0`, `/disk0/p2`; empty for the machine. */
  readonly place: string;
  /** `warn`: a person should know; `failed`: something is damaged, or missing that the guest needs to start. */
  readonly status: ProbeStatus;
  readonly detail: string;
}

/** An operating system on the disks. */
export interface GuestSystem {
  readonly family: 'windows' | 'linux';
  /** As it calls itself: `Windows Server 2022 Datacenter`, `Debian GNU/Linux 12 (bookworm)`. Untrusted text. */
  readonly name: string;
  /** `21H2`, `12`. */
  readonly version?: string;
  /** Of Windows: `20348.2700`. */
  readonly build?: string;
  /** The volume it lies on. */
  readonly place: string;
}

export interface ProbeReport {
  /** The worst of the checks. */
  readonly status: ProbeStatus;
  readonly systems: readonly GuestSystem[];
  readonly checks: readonly ProbeCheck[];
}

/** The worst of these. */
export function worstOf(checks: readonly Pick<ProbeCheck, 'status'>[]): ProbeStatus {
  if (checks.some(({ status }) => status === 'failed')) return 'failed';
  return checks.some(({ status }) => status === 'warn') ? 'warn' : 'ok';
}

/** What keeps something from being read, as a check tells it: damage fails, what mabs cannot read is a warning; anything else is thrown. `file`: what it is about, where the error does not say. */
export function failureOf(error: unknown, file?: string): Pick<ProbeCheck, 'status' | 'detail'> {
  if (!(error instanceof MabsError)) throw error;
  const detail = file === undefined ? error.message : `${file}: ${error.message}`;
  if (error.kind === 'damaged') return { status: 'failed', detail };
  if (error.kind === 'prerequisite') return { status: 'warn', detail };
  throw error;
}
