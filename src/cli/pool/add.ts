import { Command, Option } from 'commander';
import { type AddedPool, addPool } from '../../core/pools.ts';
import { parseSize } from '../../lib/sizes.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';

interface Options {
  readonly path: string;
  readonly encrypt?: boolean;
  readonly blockSize?: string;
  readonly compression: 'normal' | 'size';
}

/** `mabs pool add`. */
export function poolAddCommand(app: App, run = addPool): Command {
  return new Command('add')
    .description('Make a storage volume of the disk pool in a folder that is made, or is empty.')
    .argument('<name>', 'how the pool is called in this home')
    .requiredOption('--path <dir>', 'folder of the pool')
    .option('--encrypt', 'encrypt everything; the passphrase comes from --passphrase-file, --passphrase-command or a prompt')
    .option('--block-size <size>', 'what is stored and deduplicated as one piece: 64KiB to 1MiB (256KiB)')
    .addOption(new Option('--compression <kind>', 'normal, or size: slower and smaller').choices(['normal', 'size']).default('normal'))
    .addHelpText(
      'after',
      examples(
        'mabs pool add main --path D:\\pool',
        'mabs pool add vault --path /srv/vault --encrypt --passphrase-file /etc/mabs/vault.key',
        'mabs pool add vault --path /srv/vault --encrypt --passphrase-command "vault read -field=key mabs"',
      ),
    )
    .action(async (name: string, { path, encrypt = false, blockSize, compression }: Options) => {
      const ports = await app.adminPorts();
      const added = await run(ports, {
        name,
        path,
        encrypt,
        compression,
        ...(blockSize !== undefined && { blockSize: parseSize(blockSize) }),
        ...(app.secretToKeep && { secret: app.secretToKeep }),
      });
      app.render(added, addedView);
    });
}

function addedView({ name, path, encrypted, recoveryKey }: AddedPool, style: Style): string {
  const lines = [`Made ${encrypted ? 'encrypted ' : ''}pool ${name} in ${path}`];
  if (recoveryKey !== undefined) {
    lines.push(
      '',
      'Recovery key; it is shown this once, and it opens the pool without the passphrase:',
      '',
      `  ${style.bold(recoveryKey)}`,
    );
    lines.push('', 'Print it and keep it away from this machine. Without passphrase and recovery key nothing can be recovered.');
  }
  return lines.join('\n');
}
