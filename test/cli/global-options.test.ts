import { describe, expect, it } from '@jest/globals';
import { takeGlobalOptions, wantsJson } from '../../src/cli/global-options.ts';

describe('the options of every command', () => {
  it('are taken from anywhere on the command line', () => {
    const { options, rest } = takeGlobalOptions(
      ['--json', 'pool', '--home=/h', 'add', 'main', '--path', '/p', '--yes', '--wait', '5m', '-v'],
      {},
    );
    expect(rest).toEqual(['pool', 'add', 'main', '--path', '/p']);
    expect(options).toMatchObject({ json: true, yes: true, home: '/h', wait: '5m', verbose: true, color: true, help: false });
  });

  it('end at --', () => {
    const { options, rest } = takeGlobalOptions(['recover', '--', '--json', '--help'], {});
    expect(rest).toEqual(['recover', '--', '--json', '--help']);
    expect(options).toMatchObject({ json: false, help: false });
    expect(wantsJson(['recover', '--', '--json'])).toBe(false);
    expect(wantsJson(['--nonsense', '--json'])).toBe(true);
  });

  it.each([[['--home']], [['--wait=']], [['--passphrase-file', 'a', '--passphrase-command', 'b']]])(
    'are refused when they make no sense: %j',
    (argv) => expect(() => takeGlobalOptions(argv, {})).toThrow(expect.objectContaining({ code: 'MABS-USAGE', kind: 'usage' })),
  );

  it('tell a passphrase that was typed from one of the environment', () => {
    expect(takeGlobalOptions(['--passphrase-file', 'f'], { MABS_PASSPHRASE_COMMAND: 'c' }).options).toMatchObject({
      secretFlag: { file: 'f' },
      secretVariable: { command: 'c' },
    });
  });
});
