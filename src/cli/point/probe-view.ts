import type { ProbeReport } from '../../core/probe/probe-report.ts';
import type { Style } from '../app.ts';

/** The checks of a probe, a line each, the worst word first. */
export function probeView({ status, systems, checks }: ProbeReport, style: Style): string {
  const paint = { ok: style.good, warn: style.warn, failed: style.bad };
  const places = Math.max(...checks.map(({ place }) => place.length), 0);
  const guests = systems.map(({ place, name, version, build }) => {
    const known = name.includes(version ?? '') ? [] : [version];
    return `  guest        ${[name, ...known, build && `build ${build}`].filter(Boolean).join(', ')} on ${place}`;
  });
  const lines = checks.map(
    (check) => `  ${paint[check.status](check.status.padEnd(6))}  ${check.place.padEnd(places)}  ${check.name.padEnd(15)}  ${check.detail}`,
  );
  return [`probe: ${paint[status](status)}`, ...guests, ...lines].join('\n');
}
