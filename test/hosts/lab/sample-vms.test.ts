import { describe, expect, it } from '@jest/globals';
import { diskFormats } from '../../../src/disks/registry.ts';
import { aLab, textFrom } from '../../builders/lab-folder.ts';
import { qemuImg } from '../../builders/qemu-img.ts';

describe('the sample VMs', () => {
  it('are a Windows VM with NTFS and a Linux VM with ext4 on GPT, with change tracking', async () => {
    await using lab = await aLab([]);
    const vms = await lab.simulated.makeSampleVms(['win-files', 'linux-web'], 'running');
    expect(vms.map(({ name, os, state, consistency }) => ({ name, os, state, consistency }))).toEqual([
      { name: 'win-files', os: 'windows', state: 'running', consistency: 'application' },
      { name: 'linux-web', os: 'linux', state: 'running', consistency: 'file' },
    ]);
    const disks = vms.flatMap((vm) => vm.disks.map(({ path }) => path));
    expect(disks).toHaveLength(3);
    for (const path of disks) {
      expect(await textFrom(path, 512, 8)).toBe('EFI PART');
      expect(await diskFormats.describe(path)).toMatchObject({ format: 'vhdx', subformat: 'dynamic' });
      await qemuImg('check', '-q', path);
    }
    expect(await textFrom(disks[0]!, 1024 * 1024 + 3, 4)).toBe('NTFS');
    for (const path of disks.slice(1))
      expect(await textFrom(path, 1024 * 1024 + 1024 + 56, 2)).toBe(Buffer.from([0x53, 0xef]).toString('utf8'));
    expect(await lab.host.check()).toEqual([]);
    await expect(lab.simulated.makeSampleVms(['win-files'], 'off')).rejects.toMatchObject({ code: 'MABS-LAB-VM-EXISTS' });
    await expect(lab.simulated.makeSampleVms(['beos'], 'off')).rejects.toMatchObject({ code: 'MABS-LAB-SAMPLE-UNKNOWN' });
  });
});
