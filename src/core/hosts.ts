import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Finding, HostConfiguration } from '../hosts/host.ts';
import { MabsError, systemErrorCode } from '../lib/errors.ts';
import { checkEntityName, NameTakenError } from './entity-name.ts';
import { listGroups } from './groups.ts';
import { sameName } from './home.ts';
import { HostUnknownError } from './open-ports.ts';
import type { AdminPorts, Ports } from './ports.ts';

export interface NewHost {
  readonly name: string;
  readonly type: string;
  readonly path?: string;
}

/** Adds a host to the home, after a look that it is there. An empty folder is a valid lab host. */
export async function addHost(ports: AdminPorts, { name, type, path }: NewHost): Promise<HostConfiguration> {
  checkEntityName('host', name);
  if (type === 'powershell') throw process.platform === 'win32' ? new HostKindUnavailableError() : new HostNeedsWindowsError();
  if (type !== 'lab') throw new HostKindUnknownError(type);
  if (path === undefined) throw new HostPathMissingError();
  const folder = resolve(path);
  if (!(await isFolder(folder))) throw new HostFolderMissingError(folder);
  if ((await ports.home.listHosts()).some((host) => sameName(host.name, name))) throw new NameTakenError('host', name);
  const configuration: HostConfiguration = { name, type, path: folder };
  await (await ports.openHostAt(configuration)).listVms();
  await ports.home.putHost(configuration);
  return configuration;
}

export interface HostCheck {
  readonly name: string;
  readonly type: string;
  readonly status: 'ok' | 'warnings' | 'blocked';
  readonly findings: readonly Finding[];
}

/** Checks what a host needs. A host that cannot even be opened throws. */
export async function checkHost(ports: Ports, name: string): Promise<HostCheck> {
  const host = await ports.openHost(name);
  const findings = await host.check();
  const blocked = findings.some(({ severity }) => severity === 'blocks');
  const warned = findings.some(({ severity }) => severity === 'warns');
  return { name: host.name, type: host.type, status: blocked ? 'blocked' : warned ? 'warnings' : 'ok', findings };
}

/** What removing a host would leave without a source: members of groups. Points stay whatever is done. */
export async function planRemoveHost(
  ports: Ports,
  name: string,
): Promise<{ readonly name: string; readonly protectedVms: readonly string[] }> {
  const hosts = await ports.home.listHosts();
  const host = hosts.find((known) => sameName(known.name, name));
  if (!host)
    throw new HostUnknownError(
      name,
      hosts.map((known) => known.name),
    );
  const members = (await listGroups(ports)).flatMap(({ group }) => group.members);
  return {
    name: host.name,
    protectedVms: members.filter((member) => sameName(member.host, host.name)).map((member) => `${member.host}/${member.vmName}`),
  };
}

export async function removeHost(ports: Ports, { name }: { readonly name: string }): Promise<void> {
  await ports.home.removeHost(name);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

export class HostFolderMissingError extends MabsError {
  readonly code = 'MABS-HOST-FOLDER-MISSING';
  readonly hint = 'Make one with mabs lab init DIR; an empty folder is a valid host too.';
  constructor(path: string) {
    super(`there is no folder ${path}`);
  }
}

export class HostPathMissingError extends MabsError {
  readonly code = 'MABS-HOST-PATH-MISSING';
  readonly hint = 'A lab host is a folder: add --path DIR.';
  override readonly kind = 'usage';
  constructor() {
    super('a lab host needs --path');
  }
}

export class HostKindUnknownError extends MabsError {
  readonly code = 'MABS-HOST-KIND-UNKNOWN';
  readonly hint = 'Use --type lab or --type powershell.';
  override readonly kind = 'usage';
  constructor(type: string) {
    super(`${JSON.stringify(type)} is not a type of host`);
  }
}

export class HostNeedsWindowsError extends MabsError {
  readonly code = 'MABS-HOST-NEEDS-WINDOWS';
  readonly hint = 'Run mabs on a Windows machine to reach Hyper-V; here, --type lab simulates a host.';
  override readonly kind = 'prerequisite';
  constructor() {
    super('hosts of type powershell can be reached from Windows only');
  }
}

export class HostKindUnavailableError extends MabsError {
  readonly code = 'MABS-HOST-KIND-UNAVAILABLE';
  readonly hint = 'Hosts of type powershell come with a later version of mabs; --type lab simulates a host.';
  override readonly kind = 'prerequisite';
  constructor() {
    super('this version of mabs does not reach hosts of type powershell yet');
  }
}
