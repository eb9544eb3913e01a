import type { Command } from 'commander';
import type { App } from './app.ts';
import { quotedWord } from './quoted-word.ts';
import { UsageError } from './usage-error.ts';

interface Missing {
  readonly flag: string;
  readonly description: string;
  /** Words for the command line, from the answer. */
  readonly words: (answer: string) => string[];
}

/**
 * The words of a command line with the required arguments and mandatory options that it lacks: asked for on a terminal, and
 * elsewhere a UsageError that names exactly what is missing. At the end of the questions the whole command line is told.
 */
export async function completeArguments(app: App, name: string, command: Command, words: readonly string[]): Promise<string[]> {
  const missing = missingOf(command, words);
  if (missing.length === 0) return [...words];
  if (!app.interactive) {
    const flags = missing.map(({ flag }) => flag).join(', ');
    throw new UsageError(`mabs ${name} needs ${flags}`, `Run mabs ${name} --help for what they mean and for examples.`);
  }
  const complete = [...words];
  for (const { flag, description, words: wordsFor } of missing) {
    const answer = await app.ask({
      message: description ? `${flag}: ${description}` : flag,
      check: (text) => (text.trim() === '' ? 'It is needed.' : undefined),
    });
    complete.push(...wordsFor(answer.trim()));
  }
  app.note(`The same without questions: mabs ${name} ${complete.map((word) => quotedWord(word)).join(' ')}`);
  return complete;
}

function missingOf(command: Command, words: readonly string[]): Missing[] {
  const { operands, given } = look(command, words);
  const missing: Missing[] = command.registeredArguments
    .filter((argument, index) => argument.required && index >= operands)
    .map((argument) => ({
      flag: argument.variadic ? `<${argument.name()} …>` : `<${argument.name()}>`,
      description: argument.description,
      words: (answer) => [answer],
    }));
  for (const option of command.options) {
    if (!option.mandatory || given.has(option.attributeName())) continue;
    const flag = option.long ?? option.short ?? option.flags;
    missing.push({ flag, description: option.description, words: (answer) => [flag, answer] });
  }
  return missing;
}

/** How many operands the words hold and which options, by a look that judges nothing: commander itself does that afterwards. */
function look(command: Command, words: readonly string[]): { readonly operands: number; readonly given: ReadonlySet<string> } {
  const given = new Set<string>();
  let operands = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--') {
      operands += words.length - index - 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands++;
      continue;
    }
    const [flag] = word.split('=', 1);
    const option = command.options.find((candidate) => candidate.short === flag || candidate.long === flag);
    if (!option) continue;
    given.add(option.attributeName());
    const takesNext = (option.required || option.optional) && !word.includes('=');
    if (takesNext && (option.required || !words[index + 1]?.startsWith('-'))) index++;
    // `--day Mon Tue`: a variadic option takes all that follows.
    while (takesNext && option.variadic && index + 1 < words.length && !words[index + 1]!.startsWith('-')) index++;
  }
  return { operands, given };
}
