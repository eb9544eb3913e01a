import type { ListedFile } from '../core/inside/list-files.ts';
import type { OpenedMachine } from '../core/inside/opened-machine.ts';
import type { App } from './app.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { fileLine } from './file-line.ts';

/** Prints a listing of a machine as it comes, and then what is to be known of the volumes that were read; ends with exit code 4 when something in it is damaged. `none`: what is told where it is empty. */
export async function printFiles(
  app: App,
  machine: Pick<OpenedMachine, 'notes'>,
  files: AsyncIterable<ListedFile>,
  none?: string,
): Promise<void> {
  let damaged = 0;
  let count = 0;
  const counted = async function* (): AsyncGenerator<ListedFile> {
    for await (const file of files) {
      count++;
      if (file.error) damaged++;
      yield file;
    }
  };
  await app.renderEach(counted(), fileLine);
  if (count === 0 && none !== undefined) app.note(none);
  await printNotes(app, machine);
  if (damaged === 0) return;
  app.note(`${damaged === 1 ? 'One entry is' : `${damaged} entries are`} damaged; the others are complete.`);
  app.exitWith(EXIT_CODES.damaged);
}

/** What the file systems that were read say of themselves, on stderr. */
export async function printNotes(app: App, machine: Pick<OpenedMachine, 'notes'>): Promise<void> {
  for (const note of await machine.notes()) app.note(note);
}
