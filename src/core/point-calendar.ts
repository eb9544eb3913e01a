import { UnreadableValueError } from '../lib/unreadable-value.ts';
import { parseVmName } from '../model/names.ts';
import { listKnownPoints, pointsOfVm, pointVm } from './known-points.ts';
import type { Ports } from './ports.ts';

/** The days of a month that have recovery points of a VM, in local time. */
export interface PointCalendar {
  readonly vm: string;
  /** `YYYY-MM`. */
  readonly month: string;
  readonly days: readonly CalendarDay[];
}

export interface CalendarDay {
  /** `YYYY-MM-DD`, local. */
  readonly date: string;
  readonly points: readonly { readonly id: string; readonly capturedAt: string; readonly consistency: string; readonly held: boolean }[];
}

/** The month of `YYYY-MM`, or of the newest point where no month is named. */
export async function pointCalendar(ports: Ports, vm: string, month?: string): Promise<PointCalendar> {
  if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new UnreadableValueError('a month', month, '2026-11');
  const points = await pointsOfVm(ports, await listKnownPoints(ports), parseVmName(vm), vm);
  const newest = points.at(-1)!;
  const shown = month ?? localDate(newest.manifest.capturedAt).slice(0, 7);
  const inMonth = points.filter(({ manifest }) => localDate(manifest.capturedAt).startsWith(shown));
  const days = [...Map.groupBy(inMonth, ({ manifest }) => localDate(manifest.capturedAt))].map(([date, own]) => ({
    date,
    points: own.map(({ manifest, hold }) => ({
      id: manifest.id,
      capturedAt: manifest.capturedAt,
      consistency: manifest.consistency,
      held: hold !== undefined,
    })),
  }));
  return { vm: pointVm(newest), month: shown, days };
}

function localDate(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
