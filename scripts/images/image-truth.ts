import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What independent tools say of one image. Only what is compared is named here. */
export interface ImageTruth {
  readonly name: string;
  /** The compressed image, relative to the folder. */
  readonly file: string;
  readonly format: 'vhdx' | 'vhd' | 'raw';
  /** The image as it lies unpacked. */
  readonly image: { readonly size: number };
  /** Hostile: it has to end, with an answer or a typed error. */
  readonly fuzz?: boolean;
  readonly expect?: 'refuse';
  readonly may_refuse?: string;
  /** Name of the image that is its parent. */
  readonly parent?: string | null;
  /** The file name that a child's locator asks for, where it is not `name`. */
  readonly stored_as?: string;
  readonly container?: {
    readonly type?: string;
    readonly logical_sector_size?: number;
    readonly block_size?: number;
    readonly disk_id?: string;
  };
  readonly raw?: { readonly size?: number; readonly sha256?: string | null; readonly all_zero?: boolean };
  readonly partitions?: { readonly scheme?: string; readonly entries?: readonly TruePartition[] };
  readonly filesystems?: readonly TrueFileSystem[];
}

export interface TruePartition {
  readonly index: number;
  readonly start: number;
  readonly size: number;
  readonly type: string;
}

export interface TrueFileSystem {
  /** 0: the whole disk. */
  readonly partition: number;
  readonly type: string | null;
  readonly label: string | null;
  /** Absent or null where no tool here reads it. */
  readonly files?: readonly TrueFile[] | null;
  /** Times are those of the clock on the wall, in units of two seconds. */
  readonly mtime_is_local_time?: boolean | null;
  readonly expect_ls?: 'encrypted' | null;
}

export interface TrueFile {
  /** Of a stream (`ads`): with its name behind a colon. */
  readonly path: string;
  readonly kind: 'file' | 'dir' | 'symlink' | 'ads' | 'other' | 'error';
  readonly size?: number;
  readonly sha256?: string;
  /** ISO 8601, UTC, with as many decimals as the tools showed. */
  readonly mtime?: string;
  readonly symlink?: string;
  /** The tools do not agree: not judged. */
  readonly unsure?: boolean;
}

/** All images of a folder, by name. */
export async function readTruth(folder: string): Promise<Map<string, ImageTruth>> {
  const names = (await readdir(join(folder, 'truth'))).filter((name) => name.endsWith('.json')).sort();
  const truths = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, 'truth', name), 'utf8')) as ImageTruth),
  );
  return new Map(truths.map((truth) => [truth.name, truth]));
}

/** A label as blkid prints it for shells: spaces and signs behind backslashes, bytes above 127 as `M-…`. */
export function plainLabel(label: string): string {
  const bytes: number[] = [];
  const text = label.replace(/\\(.)/g, '$1');
  for (let at = 0; at < text.length; ) {
    const [, meta, control, character] = /^(M-)?(\^(?=.))?(.)/s.exec(text.slice(at))!;
    const code = character!.charCodeAt(0) ^ (control ? 0x40 : 0);
    bytes.push(meta ? code | 0x80 : code);
    at += (meta?.length ?? 0) + (control?.length ?? 0) + 1;
  }
  return Buffer.from(bytes).toString('utf8');
}
