import { struct, type Unpacked, u16le, u32le, u64le } from '../../lib/struct.ts';
import type { FileContent } from '../file-system.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { ATTRIBUTE } from './attributes.ts';
import { undoFixups } from './fixups.ts';
import { damaged } from './ntfs-damage.ts';
import { findAttribute, loadFile } from './ntfs-file.ts';
import type { RecordReader } from './record-reader.ts';
import { openAttribute } from './stream-content.ts';

const LOG_RECORD = 2;
const VOLUME_RECORD = 3;
const IS_DIRTY = 1;
/** A restart page (libfsntfs, $LogFile; ntfs-3g logfile.h, RESTART_PAGE_HEADER and RESTART_AREA). */
const RESTART_PAGE = struct(30, { pageSize: u32le(16), areaOffset: u16le(24) });
const RESTART_AREA = struct(16, { lsn: u64le(0), clientsInUse: u16le(12), flags: u16le(14) });
const NO_CLIENT = 0xffff;
const IS_CLEAN = 2;
type RestartPage = { readonly pageSize: number } & Unpacked<typeof RESTART_AREA>;
const EMPTY = 0xffffffff;
const USUAL_PAGE_SIZE = 4096;

/** What $Volume and $LogFile say of the volume as a whole. */
export interface VolumeState {
  readonly label: string | undefined;
  readonly journal: 'clean' | 'dirty';
  /** Why it is dirty, in sentences. */
  readonly notes: readonly string[];
}

/** Clean is what both say to be clean; what of them is damaged counts as dirty. */
export async function readVolumeState(table: RecordReader): Promise<VolumeState> {
  const { label, isMarked } = await readVolumeRecord(table);
  const log = await unlessDamaged(() => logState(table));
  const notes: string[] = [];
  if (isMarked === undefined) notes.push('Whether the volume was marked for a check is not known: $Volume is damaged.');
  if (isMarked) notes.push('The volume is marked for a check (chkdsk).');
  if (log === undefined) notes.push('The journal $LogFile is damaged.');
  if (log === 'open') {
    notes.push('The journal $LogFile was open: the latest changes of the file system itself may stand only in it, and are not seen.');
  }
  return { label, journal: notes.length === 0 ? 'clean' : 'dirty', notes };
}

async function readVolumeRecord(table: RecordReader): Promise<{ label: string | undefined; isMarked: boolean | undefined }> {
  const file = await unlessDamaged(() => loadFile(table, VOLUME_RECORD));
  const name = file && findAttribute(file, ATTRIBUTE.volumeName)?.value;
  const information = file && findAttribute(file, ATTRIBUTE.volumeInformation)?.value;
  const label = name && Buffer.from(name.subarray(0, name.length & ~1)).toString('utf16le');
  return { label: label || undefined, isMarked: information && information.length >= 12 ? (information[10]! & IS_DIRTY) !== 0 : undefined };
}

/** Of its two restart pages the later one counts; one that no client uses, or that says so, is closed. All ones: the log was reset. */
async function logState(table: RecordReader): Promise<'closed' | 'open'> {
  const file = await loadFile(table, LOG_RECORD);
  const attribute = findAttribute(file, ATTRIBUTE.data);
  if (!attribute) throw damaged('$LogFile has no content');
  const content = await openAttribute(table, file, attribute);
  const first = await restartPage(content, 0);
  const second = await restartPage(content, (first !== 'empty' && first?.pageSize) || USUAL_PAGE_SIZE);
  const pages = [first, second].filter((page): page is RestartPage => page !== undefined && page !== 'empty');
  const latest = pages.reduce<RestartPage | undefined>((best, page) => (best && best.lsn >= page.lsn ? best : page), undefined);
  if (latest) return latest.clientsInUse === NO_CLIENT || (latest.flags & IS_CLEAN) !== 0 ? 'closed' : 'open';
  if (first === 'empty' && second === 'empty') return 'closed';
  throw damaged('$LogFile has no restart page');
}

async function restartPage(content: FileContent, offset: number): Promise<RestartPage | 'empty' | undefined> {
  const head = new Uint8Array(RESTART_PAGE.size);
  if (offset + head.length > content.sizeBytes) return undefined;
  await content.read(offset, head);
  if (new DataView(head.buffer).getUint32(0, true) === EMPTY) return 'empty';
  const { pageSize } = RESTART_PAGE.read(head);
  if (pageSize < 512 || pageSize > 65_536 || offset + pageSize > content.sizeBytes) return undefined;
  const page = new Uint8Array(pageSize);
  await content.read(offset, page);
  return await unlessDamaged(async () => {
    undoFixups(page, String.fromCharCode(page[0]!) === 'C' ? 'CHKD' : 'RSTR', 'a restart page of $LogFile');
    const { areaOffset } = RESTART_PAGE.read(page);
    if (areaOffset + RESTART_AREA.size > page.length) throw damaged('a restart page of $LogFile is cut off');
    return { pageSize, ...RESTART_AREA.read(page, areaOffset) };
  });
}
