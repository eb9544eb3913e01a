import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { showConfiguration, validateConfiguration } from '../../src/core/configuration.ts';
import { findHome } from '../../src/core/home-path.ts';
import { resolveSetting } from '../../src/core/settings.ts';
import { aHome } from '../builders/a-home.ts';

describe('a setting', () => {
  it.each([
    [
      'the flag before all',
      { flag: '1m', environment: { MABS_WAIT: '2m' }, file: { wait: '3m' } },
      { value: '1m', source: 'flag', from: '--wait' },
    ],
    [
      'the environment before the file',
      { environment: { MABS_WAIT: '2m' }, file: { wait: '3m' } },
      { value: '2m', source: 'environment', from: 'MABS_WAIT' },
    ],
    [
      'the file before the default',
      { environment: { MABS_WAIT: '' }, file: { wait: '3m' } },
      { value: '3m', source: 'file', from: 'settings.json' },
    ],
    ['the default at last', { environment: {} }, { value: '0', source: 'default' }],
  ])('takes %s', (_, sources, expected) => expect(resolveSetting('wait', sources)).toEqual({ name: 'wait', ...expected }));

  it.each([
    ['wait', 'soon'],
    ['progress', 'loud'],
    ['logLevel', 'chatty'],
    ['trash', '14'],
  ] as const)('%s is never %s', (name, flag) =>
    expect(() => resolveSetting(name, { flag, environment: {} })).toThrow(
      expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE', kind: 'usage' }),
    ),
  );
});

describe('the place of the home', () => {
  it.each([
    ['linux', { HOME: '/home/ada' }, '/home/ada/.local/share/mabs'],
    ['linux', { HOME: '/home/ada', XDG_DATA_HOME: '/data' }, '/data/mabs'],
    ['linux', { HOME: '/home/ada', XDG_DATA_HOME: 'relative' }, '/home/ada/.local/share/mabs'],
    ['darwin', { HOME: '/Users/ada' }, '/Users/ada/Library/Application Support/mabs'],
    ['win32', { LOCALAPPDATA: 'D:\\Data', ProgramData: 'C:\\All' }, 'D:\\Data\\mabs'],
    ['win32', { USERPROFILE: 'D:\\ada' }, 'D:\\ada\\AppData\\Local\\mabs'],
  ] as const)('on %s with %j is %s', (platform, environment, path) =>
    expect(findHome(undefined, environment, platform)).toEqual({ path, from: { source: 'default' } }),
  );

  it('is what --home says, else what MABS_HOME says', () => {
    expect(findHome('/a', { MABS_HOME: '/b' }, process.platform).from).toEqual({ source: 'flag', from: '--home' });
    expect(findHome(undefined, { MABS_HOME: '/b' }, process.platform).from).toEqual({ source: 'environment', from: 'MABS_HOME' });
  });
});

describe('the configuration', () => {
  it('is shown with where each value comes from', async () => {
    await using test = await aHome();
    await writeFile(join(test.homePath, 'settings.json'), '{"version":1,"trash":"30d"}');
    const shown = await showConfiguration({
      homePath: test.homePath,
      homeFrom: { source: 'flag', from: '--home' },
      flags: { progress: 'none' },
      environment: { MABS_LOG_LEVEL: 'debug' },
    });
    expect(shown).toEqual([
      { name: 'home', value: test.homePath, source: 'flag', from: '--home' },
      { name: 'progress', value: 'none', source: 'flag', from: '--progress' },
      { name: 'wait', value: '0', source: 'default' },
      { name: 'logLevel', value: 'debug', source: 'environment', from: 'MABS_LOG_LEVEL' },
      { name: 'trash', value: '30d', source: 'file', from: 'settings.json' },
    ]);
  });

  it('is sound in a new home', async () => {
    await using test = await aHome();
    expect(await validateConfiguration(test.homePath)).toMatchObject({ status: 'ok', absent: [] });
  });

  it('names every file that is wrong and everything that is not there', async () => {
    await using test = await aHome();
    await writeFile(join(test.homePath, 'settings.json'), '{"version":1,"trash":"for ever","colour":"red"}');
    await writeFile(join(test.homePath, 'pools.json'), '{"version":7}');
    await writeFile(join(test.homePath, 'hosts.json'), '{"version":1,"hosts":[{"name":"hv1","type":"lab","path":"/no/such/folder"}]}');
    const { status, files, absent } = await validateConfiguration(test.homePath);
    expect(status).toBe('problems');
    expect(files.map((file) => `${file.file} ${file.status}`)).toEqual([
      'home.json ok',
      'hosts.json ok',
      'pools.json newer',
      'settings.json invalid',
    ]);
    expect(files[3]!.problem).toContain('for ever');
    expect(absent).toEqual([{ what: 'host hv1', path: '/no/such/folder' }]);
  });

  it('is a problem where there is no home', async () => {
    await using test = await aHome();
    expect(await validateConfiguration(join(test.folder, 'nothing'))).toMatchObject({ status: 'problems' });
  });
});
