import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { HostKinds, HostVm, SimulatedHost } from '../hosts/host.ts';
import { MabsError } from '../lib/errors.ts';
import { HomeMissingError } from './home.ts';
import { getLiveVm } from './inventory.ts';
import type { Ports } from './ports.ts';

/** What reaches a simulated VM: the kinds of hosts, and the home where one is needed. */
export interface LabPorts {
  hostKinds(): Promise<HostKinds>;
  ports(): Promise<Ports>;
}

/** Only simulated hosts can be driven. */
export class NotALabError extends MabsError {
  readonly code = 'MABS-LAB-NOT-A-LAB';
  readonly hint = 'Name a VM of a host that was added with --type lab, or the folder of a simulated VM.';
  override readonly kind = 'usage';
  constructor(host: string) {
    super(`${host} is not a simulated host`);
  }
}

/**
 * Runs on a simulated VM: `HOST/NAME` or `HOST/{GUID}` of a lab that the home knows, or the path of the folder where its `vm.json`
 * lies, for which no home is needed. A path that could be a name is one; `./` before it makes it a path.
 */
export async function withLabVm<T>(lab: LabPorts, target: string, run: (host: SimulatedHost, vm: HostVm) => Promise<T>): Promise<T> {
  const kinds = await lab.hostKinds();
  const named = /^[.~/\\]|^[a-z]:[\\/]/i.test(target) ? undefined : await findNamed(lab, target);
  if (named) {
    await using host = await kinds.openSimulated(named.path);
    return await run(host, named.vm);
  }
  const folder = resolve(target);
  await using host = await kinds.openSimulated(dirname(folder));
  return await run(host, await host.vmInFolder(basename(folder)));
}

async function findNamed(lab: LabPorts, target: string): Promise<{ path: string; vm: HostVm } | undefined> {
  const isFolder = await stat(join(target, 'vm.json')).then(
    (status) => status.isFile(),
    () => false,
  );
  let ports: Ports;
  try {
    ports = await lab.ports();
  } catch (error) {
    if (isFolder && error instanceof HomeMissingError) return undefined;
    throw error;
  }
  const hosts = await ports.home.listHosts();
  const hostName = target.split('/')[0]!.toLowerCase();
  if (isFolder && !hosts.some(({ name }) => name.toLowerCase() === hostName)) return undefined;
  const { host, vm } = await getLiveVm(ports, target);
  const configuration = hosts.find(({ name }) => name === host);
  if (configuration?.type !== 'lab') throw new NotALabError(host);
  return { path: configuration.path, vm };
}
