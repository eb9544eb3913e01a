import type { DiskFormats } from '../../disks/disk-format.ts';
import type { DiskSource } from '../../disks/disk-source.ts';
import type { FileSystem, FileSystems } from '../../filesystems/file-system.ts';
import { MabsError } from '../../lib/errors.ts';
import { nearNames } from '../../model/near-names.ts';
import { DiskUnknownError } from '../disk-unknown.ts';
import { diskPartitions, logicalVolumesOn, type MachineDisk, type MachineVolume, wholeDisk } from './machine-volumes.ts';
import { openFileSystem } from './open-file-system.ts';
import { type VolumeName, type VolumePath, volumeAddress } from './volume-path.ts';

/** A disk that is opened when something on it is first asked for. */
export interface DiskToOpen {
  /** Its N in `diskN`; absent for an image that is looked at for itself. */
  readonly index?: number;
  /** Its partitions are not volumes of their own here: it only lends its physical volumes to volume groups. */
  readonly lendsOnly?: boolean;
  open(): Promise<DiskSource>;
}

export class VolumeUnknownError extends MabsError {
  readonly code = 'MABS-VOLUME-UNKNOWN';
  readonly hint: string;
  constructor(what: string, address: string, known: readonly string[]) {
    super(`${what} has no volume ${address}`);
    const names = nearNames(address, known);
    this.hint = known.length === 0 ? 'There is no volume on it at all.' : `It has ${(known.length <= 12 ? known : names).join(', ')}.`;
  }
}

/**
 * Disks of one machine (the images that were named, or a recovery point's) and the volumes and file systems on them. A disk is opened
 * when it is needed, a volume's file system once. Dispose it when done: what came from it can then no longer be read.
 */
export class OpenedMachine implements AsyncDisposable {
  /** As errors call it. */
  readonly what: string;
  /** Whether partitions are named with their disk. */
  readonly hasDisks: boolean;
  readonly #ports: { readonly diskFormats: DiskFormats; readonly fileSystems: FileSystems };
  readonly #disks: readonly DiskToOpen[];
  readonly #opened = new Map<number, Promise<MachineDisk>>();
  readonly #partitions = new Map<number, Promise<MachineVolume[]>>();
  readonly #systems = new Map<string, Promise<FileSystem>>();
  #logical: Promise<MachineVolume[]> | undefined;

  constructor(what: string, ports: { readonly diskFormats: DiskFormats; readonly fileSystems: FileSystems }, disks: readonly DiskToOpen[]) {
    this.what = what;
    this.#ports = ports;
    this.#disks = disks;
    this.hasDisks = disks.some(({ index }) => index !== undefined);
  }

  /** The disk with this N; MABS-DISK-UNKNOWN. Without N: the image. */
  async disk(index?: number): Promise<DiskSource> {
    return (await this.#open(this.#placeOf(index))).source;
  }

  /** The volumes that a path names: all, those of a disk, of a volume group, or one. Opens no disk that it need not. */
  async volumes(path: VolumePath): Promise<MachineVolume[]> {
    if (path.type === 'volume') return [await this.volume(path.volume)];
    if (path.type === 'disk') return this.#partitionsAt(this.#placeOf(path.disk));
    const logical = await this.#logicalVolumes();
    if (path.type === 'groups') {
      const { group } = path;
      const found = group === undefined ? logical : logical.filter(({ address }) => address.startsWith(`/lv/${group}/`));
      if (group !== undefined && found.length === 0) throw this.#unknown(`/lv/${group}`, logical);
      return found;
    }
    const own = await Promise.all(this.#disks.flatMap(({ lendsOnly }, place) => (lendsOnly ? [] : [this.#partitionsAt(place)])));
    return [...own.flat(), ...logical];
  }

  /** One volume; MABS-VOLUME-UNKNOWN, MABS-DISK-UNKNOWN. */
  async volume(name: VolumeName): Promise<MachineVolume> {
    const address = volumeAddress(name);
    const among = name.type === 'logical' ? await this.#logicalVolumes() : await this.#partitionsAt(this.#placeOf(name.disk));
    const found = among.find((volume) => volume.address === address);
    if (!found) throw this.#unknown(address, among);
    return found;
  }

  /** The file system on one of its volumes; rejects as `openFileSystem`. */
  fileSystem(volume: MachineVolume): Promise<FileSystem> {
    const system = this.#systems.get(volume.address) ?? openFileSystem(this.#ports.fileSystems, volume);
    this.#systems.set(volume.address, system);
    return system;
  }

  /** What a person should know of the file systems that were opened so far, with the volume in front: a journal that is not seen, … */
  async notes(): Promise<string[]> {
    const notes: string[] = [];
    for (const [address, opening] of this.#systems) {
      const system = await opening.catch(() => undefined);
      if (system) notes.push(...system.info.notes.map((note) => `${address}: ${note}`));
    }
    return notes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using all = new AsyncDisposableStack();
    for (const opening of this.#opened.values()) {
      // What could not be opened was told to whoever asked for it.
      const disk = await opening.catch(() => undefined);
      if (disk) all.use(disk.source);
    }
    this.#opened.clear();
  }

  #placeOf(index: number | undefined): number {
    const place = this.#disks.findIndex((disk) => disk.index === index);
    if (place >= 0) return place;
    const known = this.#disks.flatMap((disk) => (disk.index === undefined ? [] : [{ index: disk.index }]));
    throw new DiskUnknownError(`${this.what}:/disk${index}`, known);
  }

  #open(place: number): Promise<MachineDisk> {
    const { index, open } = this.#disks[place]!;
    let disk = this.#opened.get(place);
    if (!disk) {
      disk = open().then((source) => ({ ...(index !== undefined && { index }), source }));
      this.#opened.set(place, disk);
    }
    return disk;
  }

  #partitionsAt(place: number): Promise<MachineVolume[]> {
    const found = this.#partitions.get(place) ?? this.#readPartitions(place);
    this.#partitions.set(place, found);
    return found;
  }

  async #readPartitions(place: number): Promise<MachineVolume[]> {
    const disk = await this.#open(place);
    const { scheme, partitions } = await diskPartitions(this.#ports.diskFormats, disk, place);
    return scheme === 'none' && partitions.length === 0 ? [wholeDisk(disk, place)] : partitions;
  }

  #logicalVolumes(): Promise<MachineVolume[]> {
    this.#logical ??= (async () => {
      const perDisk = await Promise.all(this.#disks.map((_, place) => this.#partitionsAt(place)));
      return logicalVolumesOn(this.#ports.diskFormats, perDisk.flat());
    })();
    return this.#logical;
  }

  #unknown(address: string, known: readonly MachineVolume[]): VolumeUnknownError {
    return new VolumeUnknownError(
      this.what,
      address,
      known.map((volume) => volume.address),
    );
  }
}
