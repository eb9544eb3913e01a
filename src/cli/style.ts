import { Chalk } from 'chalk';
import type { Style } from './app.ts';

/** Colours for a stream that shows them, and none for any other. */
export function styleFor(color: boolean): Style {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    warn: (text) => chalk.yellow(text),
  };
}

/** Whether a stream shows colours: a terminal that is not dumb, outside CI, where nobody said no. */
export function showsColor(
  stream: { readonly isTTY?: boolean },
  wanted: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return wanted && isTerminal(stream, environment) && !environment.NO_COLOR;
}

/** Whether lines of a stream can be drawn over: a terminal that knows its width (some, such as a container's, say 0). */
export function isLive(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTerminal(stream, environment) && (stream.columns ?? 0) >= MIN_COLUMNS;
}

const MIN_COLUMNS = 20;

function isTerminal(stream: { readonly isTTY?: boolean }, environment: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && environment.TERM !== 'dumb' && !environment.CI;
}
