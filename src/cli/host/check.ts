import { Command } from 'commander';
import { checkHost, type HostCheck } from '../../core/hosts.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { EXIT_CODES } from '../exit-codes.ts';

/** `mabs host check`. */
export function hostCheckCommand(app: App, run = checkHost): Command {
  return new Command('check')
    .description('Check what a host needs, and say how to mend what is missing. Exit code 5 when something blocks.')
    .argument('<name>', 'the host')
    .addHelpText('after', examples('mabs host check hv1'))
    .action(async (name: string) => {
      const check = await run(await app.ports(), name);
      app.render(check, hostCheckView);
      if (check.status === 'blocked') app.exitWith(EXIT_CODES.prerequisite);
    });
}

function hostCheckView({ name, status, findings }: HostCheck, style: Style): string {
  const word = { ok: style.good('ok'), warnings: style.warn('warnings'), blocked: style.bad('blocked') }[status];
  const lines = findings.map(({ severity, message, hint, vm, code }) => {
    const mark = { blocks: style.bad('blocks'), warns: style.warn('warns '), info: style.dim('info  ') }[severity];
    return `  ${mark} ${vm === undefined ? '' : `${vm}: `}${message} [${code}]\n         ${hint}`;
  });
  return [`${name}: ${word}`, ...lines].join('\n');
}
