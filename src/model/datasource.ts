import { hash } from 'node:crypto';

/**
 * Identity of a protected VM: its GUID within its host or cluster, as 32 hex digits that tell no name. Renames and moves of the
 * VM's files do not change it.
 */
export function datasourceId(hostName: string, vmId: string): string {
  return hash('sha256', `${hostName.toLowerCase()}\0${vmId.toLowerCase()}`, 'hex').slice(0, 32);
}
