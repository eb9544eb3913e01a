import { Command } from 'commander';
import { addPoolKey } from '../../core/pool-keys.ts';
import type { SecretReference } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { examples } from '../examples.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly newPassphraseFile?: string;
  readonly newPassphraseCommand?: string;
}

/** `mabs pool key add`. */
export function poolKeyAddCommand(app: App, run = addPoolKey): Command {
  return new Command('add')
    .description('Add a passphrase that opens an encrypted pool, beside those it has.')
    .argument('<name>', 'the pool')
    .option('--new-passphrase-file <file>', 'first line is the new passphrase')
    .option('--new-passphrase-command <command>', 'prints the new passphrase')
    .addHelpText('after', examples('mabs pool key add vault', 'mabs pool key add vault --new-passphrase-file /etc/mabs/second.key'))
    .action(async (name: string, options: Options) => {
      const added = await run(await app.adminPorts(), { pool: name, ...newSecret(options) });
      app.render(added, ({ pool, keyId }) => `Added key ${keyId} to pool ${pool}`);
    });
}

function newSecret({ newPassphraseFile: file, newPassphraseCommand: command }: Options): { secret?: SecretReference } {
  if (file !== undefined && command !== undefined) {
    throw new UsageError('--new-passphrase-file and --new-passphrase-command exclude each other', 'Use one of them.');
  }
  if (file !== undefined) return { secret: { file } };
  return command === undefined ? {} : { secret: { command } };
}
