import { MabsError } from '../lib/errors.ts';

/** What `read` answers; `undefined` where it comes to damage: for what a volume opens without. Other failures go on. */
export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged') return undefined;
    throw error;
  }
}
