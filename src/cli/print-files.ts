import type { ListedFile } from '../core/list-files.ts';
import type { App } from './app.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { fileLine } from './file-line.ts';

/** Prints a listing as it comes; ends with exit code 4 when something in it is damaged. */
export async function printFiles(app: App, files: AsyncIterable<ListedFile>): Promise<void> {
  let damaged = 0;
  const counted = async function* (): AsyncGenerator<ListedFile> {
    for await (const file of files) {
      if (file.error) damaged++;
      yield file;
    }
  };
  await app.renderEach(counted(), fileLine);
  if (damaged === 0) return;
  app.note(`${damaged === 1 ? 'One entry is' : `${damaged} entries are`} damaged; the others are complete.`);
  app.exitWith(EXIT_CODES.damaged);
}
