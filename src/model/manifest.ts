import { z } from 'zod';

const bytes = z.number().int().nonnegative();
const range = z.tuple([bytes, bytes]);

/** What of a volume was left out of a disk, or why it, or the file named, was kept. */
const leftOutNoteSchema = z.object({
  /** `/disk0/p2` or `/lv/VG/LV`; `/disk0` where it concerns the whole disk. */
  volume: z.string(),
  /** `pagefile.sys`, `hiberfil.sys`, `swapfile.sys`, `swap` or `free`; absent: the volume as a whole. */
  what: z.string().optional(),
  /** Bytes left out of this disk. */
  bytes: bytes.optional(),
  /** Why nothing of it was left out, in words. */
  kept: z.string().optional(),
});

/** One disk of a manifest. `root` is the digest of its disk map in hex (all zeros: the whole disk is zero). */
export const manifestDiskSchema = z.object({
  /** Position among the VM's disks at the capture, from 0. */
  index: z.number().int().nonnegative(),
  /** The disk's identity within its VM. */
  key: z.string(),
  path: z.string(),
  controller: z.string(),
  format: z.enum(['vhdx', 'vhd', 'raw']),
  virtualSize: bytes,
  logicalSectorSize: z.number().int(),
  physicalSectorSize: z.number().int(),
  blockSize: z.number().int().positive(),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes of blocks that are not zero. */
  dataBytes: bytes,
  tracking: z.enum(['initial', 'rct', 'scan']),
  trackingReason: z.string().optional(),
  /** Change-tracking identity at the freeze, where the host knew it by the commit. */
  trackingId: z.string().optional(),
  /** Ranges not kept, `[offset, length]`; they read as zero. */
  leftOut: z.array(range),
  /** What these ranges are, and what could not be left out. */
  leftOutNotes: z.array(leftOutNoteSchema).optional(),
});

/**
 * What one object in the pool's roll of manifests says: the state of one VM at one time, self-contained. Kind `replica`: the newest
 * state, replaced by the next; kind `point`: a recovery point, kept by policy. See docs/formats/pool.md.
 */
export const manifestSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(['replica', 'point']),
  /** Identity of the VM across points; see `datasourceId`. */
  datasource: z.string(),
  host: z.string(),
  vm: z.object({ id: z.string(), name: z.string(), generation: z.union([z.literal(1), z.literal(2)]), os: z.string(), state: z.string() }),
  group: z.object({ id: z.string(), name: z.string() }).optional(),
  /** The group's policy as it was. */
  policy: z.unknown().optional(),
  /** The guest's state; ISO 8601, UTC. */
  capturedAt: z.string(),
  createdAt: z.string(),
  consistency: z.enum(['application', 'file', 'crash', 'offline']),
  consistencyReason: z.string().optional(),
  tracking: z.enum(['initial', 'rct', 'scan']),
  trackingReason: z.string().optional(),
  disks: z.array(manifestDiskSchema),
  /** The definition as readable JSON, and the host's own files as they were (base64). */
  configuration: z.object({ json: z.unknown(), files: z.array(z.object({ name: z.string(), base64: z.string() })) }),
  /** For a point: the replica that it froze. */
  replicaId: z.string().optional(),
  /** Every block it names was read back, or verified before it was stored. Absent: not yet. */
  verifiedAt: z.string().optional(),
  bytesStored: bytes,
});

export type LeftOutNote = z.infer<typeof leftOutNoteSchema>;
export type ManifestDisk = z.infer<typeof manifestDiskSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** A manifest and its place in the roll. */
export interface StoredManifest {
  /** Number in the pool's roll, from 1, without gaps. */
  readonly seq: number;
  readonly manifest: Manifest;
}
