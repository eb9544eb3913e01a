import { MabsError } from '../../lib/errors.ts';
import type { ThreadDescriptor } from './engine-ports.ts';
import type { TaskKind } from './open-task.ts';

/** What the main thread asks of a worker. `task` is a number that the main thread gives. */
export type WorkerRequest = { readonly call: number; readonly task: number } & (
  | { readonly do: 'open'; readonly kind: TaskKind; readonly parameters: unknown; readonly descriptor: ThreadDescriptor }
  | { readonly do: 'run'; readonly window: unknown }
  | { readonly do: 'finish' }
  | { readonly do: 'close' }
);

export type WorkerAnswer = { readonly call: number } & ({ readonly result: unknown } | { readonly failure: Failure });

/** An error as plain data: structured clone keeps neither the class nor the fields of an error. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: MabsError['code'];
  readonly hint?: string;
  readonly kind?: MabsError['kind'];
  /** Facts that an error carries as fields, such as the file and the offset of a damaged block. */
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly cause?: Failure;
}

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack, cause } = error;
  const plain = { name: error.constructor.name || name, message, stack, ...(cause === undefined ? {} : { cause: toFailure(cause) }) };
  if (!(error instanceof MabsError)) return plain;
  const { code, hint, kind } = error;
  const facts = Object.entries(error).filter((entry): entry is [string, string | number] => ['string', 'number'].includes(typeof entry[1]));
  return { ...plain, code, hint, kind, facts: Object.fromEntries(facts.filter(([field]) => !['code', 'hint', 'kind'].includes(field))) };
}

export function fromFailure(failure: Failure): Error {
  const cause = failure.cause === undefined ? {} : { cause: fromFailure(failure.cause) };
  const error = failure.code === undefined ? new Error(failure.message, cause) : new WorkerError(failure, cause);
  if (failure.code === undefined) error.name = failure.name;
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

/** An error of mabs as it was thrown in a worker: same code, kind, hint and facts. */
class WorkerError extends MabsError {
  readonly code: MabsError['code'];
  readonly hint: string;
  override readonly kind: MabsError['kind'];
  constructor({ message, code, hint, kind, facts }: Failure, options: ErrorOptions) {
    super(message, options);
    this.code = code!;
    this.hint = hint!;
    this.kind = kind!;
    Object.assign(this, facts);
  }
}
