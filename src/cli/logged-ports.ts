import type { Implementations } from '../core/implementations.ts';
import type { AdminPorts } from '../core/ports.ts';
import type { App } from './app.ts';
import type { GlobalOptions } from './global-options.ts';
import type { ProgramEntry } from './program.ts';

/** Opens the home and what is behind it, closed with `opened`. */
export async function openLoggedPorts(
  app: App,
  {
    implementations,
    opened,
  }: { entry: ProgramEntry; options: GlobalOptions; implementations: Implementations; opened: AsyncDisposableStack },
): Promise<AdminPorts> {
  const { openPorts } = await import('../core/open-ports.ts');
  return opened.use(await openPorts(implementations, app));
}
