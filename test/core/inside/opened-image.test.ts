import { describe, expect, it } from '@jest/globals';
import { splitImagePath } from '../../../src/core/inside/opened-image.ts';
import { parseVolumePath } from '../../../src/core/inside/volume-path.ts';

const split = (text: string, ...files: string[]) => splitImagePath(text, async (path) => files.includes(path));

describe('an image and the path behind it', () => {
  it('are parted at the last :/ that leaves an existing file', async () => {
    expect(await split('web.vhdx:/p1/a', 'web.vhdx')).toEqual({ image: 'web.vhdx', path: '/p1/a' });
    expect(await split('web.vhdx:/p1/a:/b', 'web.vhdx')).toEqual({ image: 'web.vhdx', path: '/p1/a:/b' });
    expect(await split('a:/b:/p1/c', 'a', 'a:/b')).toEqual({ image: 'a:/b', path: '/p1/c' });
    expect(await split('web.vhdx', 'web.vhdx')).toEqual({ image: 'web.vhdx' });
  });

  it('know drive letters', async () => {
    expect(await split('C:/vms/x.vhdx:/p1/a', 'C:/vms/x.vhdx')).toEqual({ image: 'C:/vms/x.vhdx', path: '/p1/a' });
    expect(await split('C:\\vms\\x.vhdx:/p1', 'C:\\vms\\x.vhdx')).toEqual({ image: 'C:\\vms\\x.vhdx', path: '/p1' });
    expect(await split('C:/vms/x.vhdx', 'C:/vms/x.vhdx')).toEqual({ image: 'C:/vms/x.vhdx' });
    expect(await split('\\\\server\\share\\x.vhdx:/lv/a/b', '\\\\server\\share\\x.vhdx')).toEqual({
      image: '\\\\server\\share\\x.vhdx',
      path: '/lv/a/b',
    });
  });

  it('are parted where a volume is named, when there is no such file', async () => {
    expect(await split('C:/gone.vhdx:/p1/a:/p2')).toEqual({ image: 'C:/gone.vhdx', path: '/p1/a:/p2' });
    expect(await split('gone.vhdx')).toEqual({ image: 'gone.vhdx' });
    expect(await split('C:/p1/gone.vhdx')).toEqual({ image: 'C:/p1/gone.vhdx' });
  });

  it('are parted at a backslash for a volume, which then is refused as a path', async () => {
    expect(await split('C:\\vms\\x.vhdx:\\p2\\Users')).toEqual({ image: 'C:\\vms\\x.vhdx', path: '\\p2\\Users' });
    expect(await split('C:\\p2\\x.vhdx')).toEqual({ image: 'C:\\p2\\x.vhdx' });
    for (const machine of [true, false]) {
      const hint = expect.stringContaining('with / between names');
      expect(() => parseVolumePath('\\p2\\Users', { machine })).toThrow(expect.objectContaining({ code: 'MABS-NAME-UNREADABLE', hint }));
    }
  });

  it('are told apart on the disk itself, where a folder is no image', async () => {
    expect(await splitImagePath(import.meta.dirname)).toEqual({ image: import.meta.dirname });
    expect(await splitImagePath(`${import.meta.filename}:/p1`)).toEqual({ image: import.meta.filename, path: '/p1' });
  });
});
