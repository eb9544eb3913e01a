import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addHost, checkHost, planRemoveHost, removeHost } from '../../src/core/hosts.ts';
import { listVms } from '../../src/core/list-vms.ts';
import { aHome, type TestHome } from '../builders/a-home.ts';

let test: TestHome;
beforeEach(async () => {
  test = await aHome();
});
afterEach(async () => {
  await test[Symbol.asyncDispose]();
});

describe('adding a host', () => {
  it('takes an empty folder as a lab host', async () => {
    await using ports = await test.ports();
    const path = await test.makeFolder('lab');
    expect(await addHost(ports, { name: 'hv-1.lab', type: 'lab', path })).toEqual({ name: 'hv-1.lab', type: 'lab', path });
    expect(await listVms(ports)).toEqual({ vms: [], unreachable: [] });
    expect(await checkHost(ports, 'HV-1.LAB')).toMatchObject({ name: 'hv-1.lab', type: 'lab' });
  });

  it.each([
    ['a name that would be split', { name: 'a/b', type: 'lab', path: '.' }, 'MABS-NAME-INVALID', 'usage'],
    ['a name that looks like an option', { name: '-a', type: 'lab', path: '.' }, 'MABS-NAME-INVALID', 'usage'],
    ['a folder that is not there', { name: 'a', type: 'lab', path: '/no/such/folder' }, 'MABS-HOST-FOLDER-MISSING', 'failed'],
    ['a lab without a folder', { name: 'a', type: 'lab' }, 'MABS-HOST-PATH-MISSING', 'usage'],
    ['another type', { name: 'a', type: 'vmware' }, 'MABS-HOST-KIND-UNKNOWN', 'usage'],
  ])('refuses %s', async (_, host, code, kind) => {
    await using ports = await test.ports();
    await expect(addHost(ports, host)).rejects.toMatchObject({ code, kind });
  });

  it('refuses Hyper-V where it cannot be reached', async () => {
    await using ports = await test.ports();
    const code = process.platform === 'win32' ? 'MABS-HOST-KIND-UNAVAILABLE' : 'MABS-HOST-NEEDS-WINDOWS';
    await expect(addHost(ports, { name: 'hv1', type: 'powershell' })).rejects.toMatchObject({ code, kind: 'prerequisite' });
  });

  it('refuses a name twice', async () => {
    await using ports = await test.ports();
    const path = await test.makeFolder('lab');
    await addHost(ports, { name: 'hv1', type: 'lab', path });
    await expect(addHost(ports, { name: 'HV1', type: 'lab', path })).rejects.toMatchObject({ code: 'MABS-NAME-TAKEN' });
  });
});

describe('a host that cannot be reached', () => {
  it('hides only its own VMs, and is an error where it was named', async () => {
    await using ports = await test.ports();
    await addHost(ports, { name: 'away', type: 'lab', path: await test.makeFolder('away') });
    await addHost(ports, { name: 'here', type: 'lab', path: await test.makeFolder('here') });
    await rm(join(test.folder, 'away'), { recursive: true });
    await using next = await test.ports();
    expect(await listVms(next)).toMatchObject({ vms: [], unreachable: [{ host: 'away' }] });
    await expect(listVms(next, 'away')).rejects.toMatchObject({ code: expect.stringMatching(/^MABS-HOST-/) });
    await expect(listVms(next, 'hree')).rejects.toMatchObject({ code: 'MABS-HOST-UNKNOWN', hint: 'Did you mean here?' });
  });
});

it('forgets a host by its name in any case', async () => {
  await using ports = await test.ports();
  await addHost(ports, { name: 'hv1', type: 'lab', path: await test.makeFolder('lab') });
  await removeHost(ports, await planRemoveHost(ports, 'HV1'));
  expect(await ports.home.listHosts()).toEqual([]);
  await expect(planRemoveHost(ports, 'hv1')).rejects.toMatchObject({ code: 'MABS-HOST-UNKNOWN' });
});
