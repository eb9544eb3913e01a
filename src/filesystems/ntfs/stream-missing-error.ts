import { MabsError } from '../../lib/errors.ts';

export class StreamMissingError extends MabsError {
  readonly code = 'MABS-STREAM-MISSING';
  readonly hint = 'List the file with --json: its streams are shown there.';
  override readonly kind = 'usage';
  constructor(file: string, stream: string) {
    super(`${file} has no stream ${stream}`);
  }
}
