import type { Alert } from '../catalogs/catalog.ts';
import { MabsError } from '../lib/errors.ts';
import { isoUtc } from '../lib/times.ts';
import type { Ports } from './ports.ts';

/** Raises an alert, or counts it up where it stands already. */
export async function raiseAlert(
  { catalog, clock, random }: Pick<Ports, 'catalog' | 'clock' | 'random'>,
  alert: Pick<Alert, 'code' | 'severity' | 'subject' | 'message' | 'hint'>,
): Promise<void> {
  await catalog.raiseAlert({ id: random.uuid(), raisedAt: isoUtc(clock.now()), ...alert });
}

/** Resolves what stands open about a subject under one code. */
export async function resolveAlert({ catalog, clock }: Pick<Ports, 'catalog' | 'clock'>, code: string, subject: string): Promise<void> {
  await catalog.resolveAlerts({ code, subject }, isoUtc(clock.now()));
}

export class AlertUnknownError extends MabsError {
  readonly code = 'MABS-ALERT-UNKNOWN';
  readonly hint = 'See `mabs alert list` for the ids.';
  constructor(id: string) {
    super(`there is no alert ${id}`);
  }
}

/** Open alerts, newest first; with `resolved`, the resolved ones too. */
export async function listAlerts({ catalog }: Ports, options: { readonly resolved?: boolean } = {}): Promise<Alert[]> {
  const alerts = await catalog.listAlerts(options);
  return alerts.toSorted((a, b) => b.raisedAt.localeCompare(a.raisedAt));
}

/** The alert with this id, or the only one whose id begins with it. */
export async function getAlert(ports: Ports, id: string): Promise<Alert> {
  const alerts = await listAlerts(ports, { resolved: true });
  const matching = alerts.filter((alert) => alert.id === id || (id.length >= 6 && alert.id.startsWith(id)));
  if (matching.length !== 1) throw new AlertUnknownError(id);
  return matching[0]!;
}

/** Calls an alert done with. It comes back when its cause does. */
export async function closeAlert(ports: Ports, id: string): Promise<Alert> {
  const alert = await getAlert(ports, id);
  await ports.catalog.resolveAlerts({ id: alert.id }, isoUtc(ports.clock.now()));
  return getAlert(ports, alert.id);
}
