import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changesSince, readTracking } from '../../src/hosts/lab/change-tracking.ts';
import { readFaults } from '../../src/hosts/lab/faults.ts';
import { readLabState } from '../../src/hosts/lab/lab-state.ts';
import { parseVmDefinition } from '../../src/hosts/lab/vm-definition.ts';
import type { ByteSample } from './byte-fuzzer.ts';

const VM = {
  id: '4f1c2a3b-0000-4000-8000-000000000001',
  name: 'web',
  generation: 2,
  state: 'running',
  os: 'linux',
  integrationServices: { version: '10.0', vss: true },
  disks: [{ id: 'd0', controller: 'scsi', path: 'disk0.vhdx' }],
  replication: { mode: 'Primary', state: 'Replicating', health: 'Normal' },
};
const TRACKING = {
  current: 'c',
  history: [
    { from: 'a', to: 'b', ranges: [[0, 4096]] },
    { from: 'b', to: 'c', ranges: [[1_048_576, 512]] },
  ],
};
const OVERLAY = { disk: 'disk0.vhdx', path: 'disk0-1.avhdx', parent: 'disk0.vhdx', parentId: 'x', phase: 'active', written: true };
const STATE = {
  version: 1,
  captures: [{ id: 'c1', at: '2026-11-20T10:00:00.000Z', kind: 'frozen', resumeTo: 'running', files: ['f'] }],
  overlays: [OVERLAY],
  keptOld: [{ recoveryId: 'r', until: 1, files: ['disk0.vhdx'] }],
};

/** The files of a simulated VM that people and scripts write. `folder` is a place for them. */
export function labSamples(folder: string): ByteSample[] {
  const disk = join(folder, 'disk0.vhdx');
  const inFile = (name: string, read: () => Promise<unknown>) => async (bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes);
    await read();
  };
  return [
    {
      name: 'vm.json',
      content: { json: VM },
      async read(bytes) {
        parseVmDefinition(bytes, 'vm.json', 'web');
      },
    },
    {
      name: 'disk0.vhdx.rct.json',
      content: { json: TRACKING },
      read: inFile('disk0.vhdx.rct.json', async () => changesSince(await readTracking(disk), 'a', 8_388_608)),
    },
    { name: 'lab-state.json', content: { json: STATE }, read: inFile('lab-state.json', () => readLabState(folder)) },
    { name: 'faults.json', content: { json: ['merge-fails', 'host-gone=2'] }, read: inFile('faults.json', () => readFaults(folder)) },
  ];
}
