import { expect, it } from '@jest/globals';
import { table } from '../../src/cli/table.ts';

it('lines columns up, numbers to the right, colours taking no room', () => {
  const text = table(
    ['NAME', 'SIZE', 'NOTE'],
    [
      ['a', '1 GiB', ''],
      ['\u001b[31mlong\u001b[39m', '12', 'x'],
    ],
    [1],
  );
  expect(text.split('\n')).toEqual(['NAME   SIZE  NOTE', 'a     1 GiB', '\u001b[31mlong\u001b[39m     12  x']);
});
