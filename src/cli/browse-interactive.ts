import { filesAt } from '../core/inside/list-files.ts';
import { type MarkedFile, MarkedFiles, markedPath } from '../core/inside/marked-files.ts';
import type { OpenedMachine } from '../core/inside/opened-machine.ts';
import { ownFilesOf } from '../core/inside/own-files.ts';
import { parseVolumePath, pathOf, type VolumePath } from '../core/inside/volume-path.ts';
import type { KnownPoint } from '../core/known-points.ts';
import { pointVm } from '../core/known-points.ts';
import { type RecoverFilesReport, recoverFiles } from '../core/recover-files.ts';
import { MabsError } from '../lib/errors.ts';
import { formatSize } from '../lib/sizes.ts';
import type { App, Choice } from './app.ts';
import { type Place, type Shown, type Step, shownFile, shownVolume, upFrom } from './browse-rows.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { nothingFits } from './nothing-fits.ts';
import { quotedWord } from './quoted-word.ts';

export interface Browsed {
  readonly machine: OpenedMachine;
  readonly point: KnownPoint;
  /** Where to begin. */
  readonly place: VolumePath;
}

/** Names of a folder that are held to choose from; what is more is found by search. */
const MOST_NAMES = 20_000;
/** Rows that leave room for the menu on one screen. */
const FEW_ROWS = 8;
/** Finds that are offered to be marked. */
const MOST_FOUND = 1000;

/** Walks through a recovery point on a terminal: folders, search, marks, and bringing what is marked back. */
export async function browseInteractively(app: App, { machine, point, place }: Browsed, restore = recoverFiles): Promise<void> {
  const walk = new Walk(app, machine, point, restore);
  await walk.run(await startOf(machine, place));
}

async function startOf(machine: OpenedMachine, place: VolumePath): Promise<Place> {
  if (place.type !== 'volume') return { names: [] };
  const volume = await machine.volume(place.volume);
  await machine.fileSystem(volume);
  return { volume, names: place.names };
}

class Walk {
  readonly #app: App;
  readonly #machine: OpenedMachine;
  readonly #point: KnownPoint;
  readonly #restore: typeof recoverFiles;
  readonly #marks = new MarkedFiles();

  constructor(app: App, machine: OpenedMachine, point: KnownPoint, restore: typeof recoverFiles) {
    this.#app = app;
    this.#machine = machine;
    this.#point = point;
    this.#restore = restore;
  }

  async run(start: Place): Promise<void> {
    let place = start;
    for (;;) {
      const files = await this.#look(place);
      const step = await this.#app.search(this.#title(place), (typed) => this.#choices(place, files, typed));
      if (step.do === 'leave') return;
      if (step.do === 'go') place = step.to;
      else if (step.do === 'toggle') this.#toggle(step.file);
      else if (step.do === 'mark-several') await this.#markSeveral(files);
      else if (step.do === 'search') await this.#search(place);
      else if (step.do === 'show') await this.#show();
      else if (await this.#bringBack()) return;
    }
  }

  #title({ volume, names }: Place): string {
    const marked = this.#marks.count === 0 ? '' : ` (${this.#marks.count} marked)`;
    return `${pointVm(this.#point)}${volume ? `:${volume.address}${names.length > 0 ? pathOf(names) : ''}` : ''}${marked}`;
  }

  /** What lies here, as choices to be. A folder that is damaged or is none is told of, and is empty. */
  async #look({ volume, names }: Place): Promise<Shown[]> {
    if (!volume) return (await this.#machine.volumes({ type: 'all' })).map((one) => shownVolume(one));
    const found: Shown[] = [];
    try {
      const system = await this.#machine.fileSystem(volume);
      const own = names.length === 0 ? ownFilesOf(system) : undefined;
      if (own) for (const note of system.info.notes) this.#app.note(note);
      for await (const file of filesAt(this.#machine, volume, names, { signal: this.#app.signal })) {
        if (own?.has(file.names[0]!)) continue;
        if (found.length === MOST_NAMES) {
          this.#app.note(`There are more than ${MOST_NAMES} names here: only the first are shown. Search for the others.`);
          break;
        }
        found.push(shownFile(volume, file));
      }
    } catch (error) {
      this.#tell(error);
    }
    return found;
  }

  #choices(place: Place, files: readonly Shown[], typed: string | undefined): Choice<Step>[] {
    const wanted = (typed ?? '').toLowerCase();
    const fitting = wanted === '' ? files : files.filter(({ name }) => name.toLowerCase().includes(wanted));
    const rows = fitting.map((shown) => ({
      name: `${this.#box(shown)} ${shown.line}`,
      value: shown.step,
      ...(shown.hint !== undefined && { hint: shown.hint }),
    }));
    const menu = this.#menu(place);
    if (wanted !== '') {
      // What is typed may be meant for the menu: Enter takes the first row.
      const isMeant = (choice: Choice<Step>) => choice.name.toLowerCase().includes(wanted);
      return [...rows, ...menu.filter(isMeant), ...upFrom(place), ...menu.filter((choice) => !isMeant(choice))];
    }
    // Below a list that fills the screen the menu would be far away.
    return rows.length > FEW_ROWS ? [...upFrom(place), ...menu, ...rows] : [...upFrom(place), ...rows, ...menu];
  }

  #box({ file }: Shown): string {
    const state = file && this.#marks.stateOf(file);
    return state === 'own' ? '[x]' : state === 'within' ? '[+]' : '[ ]';
  }

  #menu({ volume }: Place): Choice<Step>[] {
    const marked = this.#marks.count;
    return [
      { name: '· Mark or unmark several here …', value: { do: 'mark-several' } },
      ...(volume ? [{ name: '· Search below here …', value: { do: 'search' } as const }] : []),
      ...(marked > 0 ? [{ name: `· Show what is marked (${marked})`, value: { do: 'show' } as const }] : []),
      ...(marked > 0 ? [{ name: '· Bring back what is marked …', value: { do: 'restore' } as const }] : []),
      { name: '· Leave', value: { do: 'leave' } },
    ];
  }

  #toggle(file: MarkedFile): void {
    const state = this.#marks.stateOf(file);
    if (state === 'own') this.#marks.unmark(file);
    else if (state === 'within') this.#app.note('It lies in a marked folder: unmark that one first.');
    else this.#marks.mark(file);
  }

  async #markSeveral(files: readonly Shown[]): Promise<void> {
    const markable = files.filter((shown): shown is Shown & { file: MarkedFile } => shown.file !== undefined);
    if (markable.length === 0) return this.#app.note('There is nothing here that could be marked.');
    await this.#mark('Space marks, Enter takes over', markable);
  }

  async #mark(message: string, offered: readonly (Shown & { file: MarkedFile })[]): Promise<void> {
    const chosen = await this.#app.chooseMany(
      message,
      offered.map(({ file, line }) => ({ name: line, value: file, checked: this.#marks.stateOf(file) === 'own' })),
    );
    const wanted = new Set(chosen);
    for (const { file } of offered) {
      if (!wanted.has(file)) this.#marks.unmark(file);
    }
    for (const file of chosen) this.#marks.mark(file);
  }

  async #search({ volume, names }: Place): Promise<void> {
    const glob = await this.#app.ask({
      message: "Names to search for below here, such as '*.docx'",
      check: (text) => (text === '' ? 'It is needed.' : undefined),
    });
    const found: (Shown & { file: MarkedFile })[] = [];
    try {
      for await (const file of filesAt(this.#machine, volume!, names, { glob, signal: this.#app.signal })) {
        const shown = shownFile(volume!, file, file.path);
        if (shown.file) found.push({ ...shown, file: shown.file });
        if (found.length === MOST_FOUND) break;
      }
    } catch (error) {
      this.#tell(error);
    }
    if (found.length === 0) return this.#app.note(nothingFits(glob));
    if (found.length === MOST_FOUND) this.#app.note(`These are the first ${MOST_FOUND} that fit.`);
    await this.#mark('Mark what you need', found);
  }

  async #show(): Promise<void> {
    for (const file of this.#marks.list()) this.#app.note(`  ${markedPath(file)}${file.type === 'dir' ? '/' : ''}`);
    const { files, folders, bytes, damaged } = await this.#app.withProgress('Counting', () =>
      this.#marks.measure(this.#machine, (address) => parseVolumePath(address, { machine: true }), this.#app.signal),
    );
    const broken = damaged === 0 ? '' : `; ${damaged} entries are damaged`;
    this.#app.note(`  ${formatSize(bytes)} in ${counted(files, 'file')} and ${counted(folders, 'folder')}${broken}`);
  }

  /** Answers whether it was done. */
  async #bringBack(): Promise<boolean> {
    const folder = await this.#app.ask({ message: 'Folder to bring them back to (empty: not now)', default: '' });
    if (folder.trim() === '') return false;
    const to = `folder:${folder.trim()}`;
    const point = `${pointVm(this.#point)}@${this.#point.manifest.id}`;
    const marks = this.#marks.list();
    const selections = marks.map(({ address, names }) => ({ point, volume: address, ...(names && { names }) }));
    this.#app.note(
      `The same without questions: mabs recover ${marks.map((mark) => quotedWord(`${point}:${markedPath(mark)}`)).join(' ')} --to ${quotedWord(to)}`,
    );
    const ports = await this.#app.ports();
    try {
      const report = await this.#app.withProgress('Recovering', (onProgress) =>
        this.#restore(ports, { selections, to, signal: this.#app.signal, onProgress }),
      );
      this.#app.render(report, broughtBack);
      if (report.status === 'partly') this.#app.exitWith(EXIT_CODES.partly);
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  /** What went wrong with one step; the walk goes on. */
  #tell(error: unknown): void {
    if (!(error instanceof MabsError) || error.kind === 'interrupted') throw error;
    this.#app.note(`${error.message} [${error.code}] ${error.hint}`);
  }
}

function broughtBack({ target, counts, files }: RecoverFilesReport): string {
  const failed = files
    .filter(({ status }) => status === 'failed')
    .map(({ source, error }) => `  failed: ${source}: ${error?.message ?? ''}`);
  const { files: brought, folders, bytesWritten } = counts;
  return [
    `Brought back ${counted(brought, 'file')} and ${counted(folders, 'folder')} to ${target} (${formatSize(bytesWritten)} written)`,
    ...failed,
  ].join('\n');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
