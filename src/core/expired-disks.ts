import type { Ports } from './ports.ts';

/**
 * Removes the disks that recoveries to original replaced, once the time they were kept for is over. A host that cannot be asked keeps
 * them until the next job: that one is told of by whatever needs the host.
 */
export async function removeExpiredDisks(ports: Ports, hosts: Iterable<string>): Promise<void> {
  for (const name of new Set(hosts)) {
    try {
      await (await ports.openHost(name)).removeExpired(ports.clock.now());
    } catch {
      // Nobody waits for this; what is due stays due.
    }
  }
}
