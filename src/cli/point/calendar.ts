import { Command } from 'commander';
import { type PointCalendar, pointCalendar } from '../../core/point-calendar.ts';
import type { App, Style } from '../app.ts';
import { examples } from '../examples.ts';

export function pointCalendarCommand(app: App, run = pointCalendar): Command {
  return new Command('calendar')
    .summary('Show which days have recovery points.')
    .argument('<vm>', 'the virtual machine as HOST/NAME')
    .option('--month <month>', 'YYYY-MM; that of the newest point when absent')
    .addHelpText('after', examples('mabs point calendar hv1/web', 'mabs point calendar hv1/web --month 2026-11'))
    .action(async (vm: string, { month }: { month?: string }) => {
      app.render(await run(await app.ports(), vm, month), calendarView);
    });
}

/** A month as a sheet: Monday first, the number of points beside each day. */
function calendarView({ vm, month, days }: PointCalendar, style: Style): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const length = new Date(year, number, 0).getDate();
  const blank = (new Date(year, number - 1, 1).getDay() + 6) % 7;
  const counts = new Map(days.map(({ date, points }) => [Number(date.slice(-2)), points.length]));
  const cells = Array.from({ length: blank }, () => ' '.repeat(7));
  for (let day = 1; day <= length; day++) {
    const count = counts.get(day);
    const text = `${String(day).padStart(3)}${count === undefined ? '' : ` ·${count}`}`.padEnd(7);
    cells.push(count === undefined ? style.dim(text) : style.good(text));
  }
  const weeks: string[] = [];
  for (let start = 0; start < cells.length; start += 7)
    weeks.push(
      cells
        .slice(start, start + 7)
        .join('')
        .trimEnd(),
    );
  const heading = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map((day) => day.padEnd(7)).join('');
  return [`${style.bold(vm)}  ${month}`, style.dim(heading.trimEnd()), ...weeks].join('\n');
}
