import { Argument, Command } from 'commander';
import type { App, CommandBuilder } from './app.ts';
import { type CompletionWords, completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import { examples } from './examples.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

/** A command as a completion sees it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<object>;
}

/** `mabs completion` for this table of commands. Every command is built once, to learn its options. */
export function completionFor(program: readonly CompletedCommand[]): CommandBuilder {
  return (app) =>
    new Command('completion')
      .description('Print a completion script for a shell.')
      .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
      .addHelpText(
        'after',
        examples(
          'mabs completion bash > /etc/bash_completion.d/mabs',
          'mabs completion zsh > ~/.zfunc/_mabs',
          'mabs completion fish > ~/.config/fish/completions/mabs.fish',
          'mabs completion powershell >> $PROFILE',
        ),
      )
      .action(async (shell: Shell) => {
        const script = completionScript(shell, await wordsOf(program, app));
        app.render({ shell, script }, () => script);
      });
}

async function wordsOf(program: readonly CompletedCommand[], app: App): Promise<CompletionWords> {
  const commands = await Promise.all(
    program.map(async ({ name, summary, load }) => ({ name, summary, options: await optionsOf(name, load, app) })),
  );
  const globals = GLOBAL_OPTIONS.flatMap(([flags]) => flags.match(/--[a-z-]+/g) ?? []);
  return { commands, globals };
}

async function optionsOf(name: string, load: () => Promise<object>, app: App): Promise<string[]> {
  // Its own module would be built while it is built.
  if (name === 'completion') return [];
  const build = Object.entries(await load()).find(([exported, value]) => exported.endsWith('Command') && typeof value === 'function')?.[1];
  const command = (build as CommandBuilder)(app);
  return command.options.flatMap(({ long }) => long ?? []);
}
