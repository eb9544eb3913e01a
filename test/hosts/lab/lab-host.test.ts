import { describe } from '@jest/globals';
import { aLab, makeDisk, textAt, writeInto } from '../../builders/lab-folder.ts';
import { type HostWorld, keepsTheHostContract } from '../../contracts/host.ts';

async function aWorld(): Promise<HostWorld> {
  const lab = await aLab([{ folder: 'vm', disks: [{ path: 'disk0.vhdx' }, { path: 'data/disk1.vhdx' }] }]);
  const [vm] = await lab.host.listVms();
  return {
    host: lab.host,
    vmId: vm!.id,
    guestWrites: async (offset, text) => void (await lab.simulated.write(vm!.id, textAt(offset, text))),
    async fill(path, _format, sizeBytes, text) {
      await makeDisk(path, sizeBytes);
      await writeInto(path, 0, text);
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

describe('the lab host', () => keepsTheHostContract(aWorld));
