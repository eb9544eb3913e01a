import { InterruptedError, MabsError } from '../lib/errors.ts';
import type { Choice, Question } from './app.ts';
import { safeText } from './safe-text.ts';

/** Asks on the terminal. Everything is drawn on stderr, so that stdout stays the result's. */
export interface Prompts {
  ask(question: Question): Promise<string>;
  askSecret(message: string, options?: { readonly twice?: boolean }): Promise<string>;
  choose<T>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  search<T>(message: string, find: (typed: string | undefined) => readonly Choice<T>[]): Promise<T>;
  chooseMany<T>(message: string, choices: readonly Choice<T>[]): Promise<T[]>;
  confirm(question: string): Promise<boolean>;
}

/** Prompts that end with an InterruptedError on Ctrl-C or when `signal` is aborted. */
export function terminalPrompts(signal: AbortSignal): Prompts {
  const asking = async <T extends object>(question: object): Promise<T> => {
    const { default: inquirer } = await import('inquirer');
    try {
      return (await inquirer.createPromptModule({ output: process.stderr, signal })([question as never])) as T;
    } catch (error) {
      if (error instanceof Error && /^(ExitPrompt|AbortPrompt|CancelPrompt)Error$/.test(error.name))
        throw new InterruptedError({ cause: error });
      throw error;
    }
  };
  const value = async <T>(question: object) => (await asking<{ value: T }>({ name: 'value', ...question })).value;
  const askSecretOnce = (message: string) =>
    value<string>({ type: 'password', message: safeText(message), validate: (answer: string) => answer !== '' || 'It must not be empty.' });

  return {
    ask: ({ message, default: preset, check }) =>
      value<string>({
        type: 'input',
        message: safeText(message),
        ...(preset !== undefined && { default: preset }),
        validate: (answer: string) => judge(check, answer),
      }),
    async askSecret(message, options) {
      for (;;) {
        const secret = await askSecretOnce(message);
        if (!options?.twice || (await askSecretOnce('The same again')) === secret) return secret;
        process.stderr.write('The two differ.\n');
      }
    },
    choose: (message, choices) => value({ type: 'select', message: safeText(message), choices: choices.map(shown) }),
    search: (message, find) =>
      value({
        type: 'search',
        message: safeText(message),
        source: (typed: string | undefined) => find(typed).map(shown),
        pageSize: PAGE_ROWS,
      }),
    chooseMany: (message, choices) =>
      value({ type: 'checkbox', message: safeText(message), choices: choices.map(shown), pageSize: PAGE_ROWS }),
    confirm: (question) => value<boolean>({ type: 'confirm', message: safeText(question), default: false }),
  };
}

/** Rows of a long list that are shown at a time. */
const PAGE_ROWS = 15;

function shown<T>({ name, value, hint, checked }: Choice<T>) {
  return { name: safeText(name), value, ...(hint !== undefined && { description: safeText(hint) }), ...(checked && { checked }) };
}

function judge(check: Question['check'], answer: string): true | string {
  try {
    return check?.(answer) ?? true;
  } catch (error) {
    if (error instanceof MabsError) return safeText(`${error.message}. ${error.hint}`);
    throw error;
  }
}
