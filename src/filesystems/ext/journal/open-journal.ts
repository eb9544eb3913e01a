import { MabsError } from '../../../lib/errors.ts';
import type { FileSystemInfo } from '../../file-system.ts';
import type { Volume } from '../../volume.ts';
import { COMPAT, INCOMPAT } from '../ext-features.ts';
import type { ExtVolume } from '../ext-volume.ts';
import { readInode } from '../inode.ts';
import { type JournalLog, openLog } from './journal-log.ts';
import { findDamagedBlock, replayedVolume } from './replayed-volume.ts';
import { scanJournal } from './scan-journal.ts';

export interface JournalState {
  readonly state: FileSystemInfo['journal'];
  /** The volume with what is pending laid over it; absent where nothing is. */
  readonly volume?: Volume;
  /** A sentence each. */
  readonly notes: readonly string[];
}

/**
 * Replays the journal in memory where it needs it; `isDoubtful`: the superblock is a copy, which does not say whether it does. What
 * keeps it from being replayed is a note, not an error: the volume is then read as it lies, and is `dirty`.
 */
export async function openJournal(ext: ExtVolume, isDoubtful: boolean): Promise<JournalState> {
  const { raw } = ext.superblock;
  if (!(raw.compat & COMPAT.hasJournal)) return { state: 'none', notes: [] };
  const needsRecovery = (raw.incompat & INCOMPAT.recover) !== 0;
  if (!needsRecovery && !isDoubtful) return { state: 'clean', notes: [] };
  if (raw.journalInode === 0) return dirty('The journal lies on another device; what it has pending is not seen.');
  try {
    const log = await openLog(ext, await readInode(ext, raw.journalInode));
    return typeof log === 'string' ? dirty(`The journal was not replayed: ${log}.`) : await replay(ext, log);
  } catch (error) {
    if (!(error instanceof MabsError) || error.kind !== 'damaged') throw error;
    return dirty(`The journal was not replayed: ${error.message}.`);
  }
}

const dirty = (note: string): JournalState => ({ state: 'dirty', notes: [note] });

async function replay(ext: ExtVolume, log: JournalLog): Promise<JournalState> {
  const { start, hasErrors } = log.superblock;
  const errors = hasErrors ? ['The journal was stopped by an error.'] : [];
  if (start === 0) return { state: hasErrors ? 'dirty' : 'clean', notes: errors };
  const { blocks, nextSequence, problem } = await scanJournal(log);
  const notes = [...errors];
  if (problem !== undefined) notes.push(`The journal was replayed only in part: ${problem}.`);
  const damaged = await findDamagedBlock(log, blocks);
  if (damaged !== undefined) notes.push(`Block ${damaged} is damaged in the journal: what lies there cannot be read.`);
  if ([...blocks.keys()].some((block) => block >= ext.superblock.blocks))
    notes.push('The journal holds blocks that are not on the volume.');
  if (await hasFastCommits(log, nextSequence)) notes.push('The newest changes are fast commits of the journal, which are not seen.');
  return { state: notes.length > 0 ? 'dirty' : 'replayed', volume: replayedVolume(ext.volume, log, blocks), notes };
}

const FAST_COMMIT_HEAD = 9;
const HEAD_SIZE = 12;

/** Fast commits that belong to the log as it ends begin behind it with a tag that names the next transaction (fs/ext4/fast_commit.h). */
async function hasFastCommits(log: JournalLog, nextSequence: number): Promise<boolean> {
  if (!log.superblock.hasFastCommit) return false;
  // The kernel leaves one block between the log and them.
  const bytes = await log.read(log.superblock.end + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_SIZE);
  return view.getUint16(0, true) === FAST_COMMIT_HEAD && view.getUint32(8, true) === nextSequence;
}
