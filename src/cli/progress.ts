import type { Clock, Instant } from '../lib/clock.ts';
import { formatDuration } from '../lib/durations.ts';
import { formatSize } from '../lib/sizes.ts';
import type { StepProgress } from './app.ts';
import { type Measure, ProgressMeter } from './progress-meter.ts';
import { safeText } from './safe-text.ts';

/** Shows how one piece of work is getting on. */
export interface ProgressDisplay {
  update(progress: StepProgress): void;
  /** Writes a line of prose without spoiling what is drawn. */
  interrupt(write: () => void): void;
  stop(): void;
}

const JSON_EVERY_MS = 500;
const FIRST_LINE_AFTER_MS = 3000;
const LINE_EVERY_MS = 5000;

/** One JSON object a line, at most two a second and step, and the last of each. */
export function jsonProgress(clock: Clock, write: (line: string) => void): ProgressDisplay {
  const meter = new ProgressMeter();
  const last = new Map<string, { writtenAt: Instant; pending: Measure | undefined }>();
  const flush = (measure: Measure) => write(JSON.stringify(measure));
  return {
    update(progress) {
      const now = clock.now();
      const measure = meter.measure(progress, now);
      const step = last.get(progress.label);
      const due = !step || now - step.writtenAt >= JSON_EVERY_MS;
      if (due) flush(measure);
      last.set(progress.label, { writtenAt: due ? now : step.writtenAt, pending: due ? undefined : measure });
    },
    interrupt: (prose) => prose(),
    stop() {
      for (const { pending } of last.values()) if (pending) flush(pending);
      last.clear();
    },
  };
}

/** Plain lines for logs: nothing for what is done within three seconds, then one every five. */
export function lineProgress(title: string, clock: Clock, write: (line: string) => void): ProgressDisplay {
  const meter = new ProgressMeter();
  let nextAt = clock.now() + FIRST_LINE_AFTER_MS;
  return {
    update(progress) {
      const now = clock.now();
      const measure = meter.measure(progress, now);
      if (now < nextAt) return;
      nextAt = now + LINE_EVERY_MS;
      write(`${safeText(title)}: ${progressText(measure)}`);
    },
    interrupt: (prose) => prose(),
    stop() {},
  };
}

/** Shows nothing. */
export const noProgress: ProgressDisplay = { update() {}, interrupt: (prose) => prose(), stop() {} };

/** A bar, redrawn on one line of a terminal ten times a second at most. */
export async function liveProgress(title: string, clock: Clock, stream: NodeJS.WriteStream, color: boolean): Promise<ProgressDisplay> {
  const { default: ora } = await import('ora');
  // ora would read stdin to hide what is typed; Ctrl-C must stay a signal.
  const spinner = ora({ text: safeText(title), stream, discardStdin: false, isEnabled: true, ...(color ? {} : { color: false as const }) });
  const meter = new ProgressMeter();
  spinner.start();
  return {
    update(progress) {
      const measure = meter.measure(progress, clock.now());
      const bar = barOf(measure);
      spinner.text = shortened(`${safeText(title)}  ${bar}${progressText(measure)}`, stream.columns - 4);
    },
    interrupt(prose) {
      spinner.clear();
      prose();
      spinner.render();
    },
    stop: () => void spinner.stop(),
  };
}

const BAR_WIDTH = 20;

function barOf({ doneBytes, totalBytes }: Measure): string {
  if (doneBytes === undefined || !totalBytes) return '';
  const filled = Math.round(Math.min(1, doneBytes / totalBytes) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] `;
}

/** `web1 disk0  1.2 GiB of 8 GiB (15 %), 310 MiB/s, 22 s left`. */
export function progressText({ label, doneBytes, totalBytes, rate, etaSeconds }: Measure): string {
  const parts: string[] = [];
  if (doneBytes !== undefined && totalBytes) {
    const percent = Math.floor(Math.min(1, doneBytes / totalBytes) * 100);
    parts.push(`${formatSize(doneBytes)} of ${formatSize(totalBytes)} (${percent} %)`);
  } else if (doneBytes) parts.push(formatSize(doneBytes));
  if (rate) parts.push(`${formatSize(rate)}/s`);
  if (etaSeconds) parts.push(`${formatDuration(etaSeconds * 1000)} left`);
  return parts.length === 0 ? safeText(label) : `${safeText(label)}  ${parts.join(', ')}`;
}

function shortened(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(1, columns - 1))}…`;
}
