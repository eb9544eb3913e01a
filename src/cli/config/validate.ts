import { Command } from 'commander';
import { type ValidatedConfiguration, validateConfiguration } from '../../core/configuration.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';
import { EXIT_CODES } from '../exit-codes.ts';

/** `mabs config validate`. */
export function configValidateCommand(app: App, run = validateConfiguration): Command {
  return new Command('validate')
    .description('Check the files of the home and whether what they name is there. Exit code 1 when something is wrong.')
    .addHelpText('after', examples('mabs config validate', 'mabs config validate --home D:\\mabs --json'))
    .action(async () => {
      const result = await run(app.homePath);
      app.render(result, validationView);
      if (result.files.some(({ status }) => status === 'newer')) app.exitWith(EXIT_CODES.newer);
      else if (result.status !== 'ok') app.exitWith(EXIT_CODES.failed);
    });
}

function validationView({ home, status, files, absent }: ValidatedConfiguration, style: Style): string {
  const lines = files.map(({ file, status: own, problem }) => {
    const optional = own === 'missing' && file !== 'home.json';
    if (own === 'ok' || optional) return `  ${file}: ${optional ? style.dim('none') : style.good('ok')}`;
    return `  ${file}: ${style.bad(own)}${problem === undefined ? '' : `: ${problem}`}`;
  });
  for (const { what, path } of absent) lines.push(`  ${what}: ${style.bad(`${path} is not there`)}`);
  return [`${home}: ${status === 'ok' ? style.good('ok') : style.bad('problems')}`, ...lines].join('\n');
}
