import { describe, expect, it } from '@jest/globals';
import { jsonProgress, lineProgress, progressText } from '../../src/cli/progress.ts';

const MiB = 2 ** 20;

function aClock(): { now(): number; pass(ms: number): void } {
  let now = 1_000_000;
  return {
    now: () => now,
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('progress as JSON lines', () => {
  it('tells rate and remaining time, twice a second at most, and the end', () => {
    const clock = aClock();
    const lines: string[] = [];
    const display = jsonProgress(clock, (line) => lines.push(line));
    for (let done = 0; done <= 20; done++) {
      display.update({ label: 'web1 disk0', doneBytes: done * MiB, totalBytes: 20 * MiB });
      clock.pass(100);
    }
    display.stop();
    const objects = lines.map((line) => JSON.parse(line));
    expect(objects).toHaveLength(5);
    expect(objects[0]).toEqual({ label: 'web1 disk0', doneBytes: 0, totalBytes: 20 * MiB });
    expect(objects[2]).toEqual({ label: 'web1 disk0', doneBytes: 10 * MiB, totalBytes: 20 * MiB, rate: 10 * MiB, etaSeconds: 1 });
    expect(objects.at(-1)).toMatchObject({ doneBytes: 20 * MiB, etaSeconds: 0 });
  });

  it('keeps steps apart, each with its own rate', () => {
    const clock = aClock();
    const lines: string[] = [];
    const display = jsonProgress(clock, (line) => lines.push(line));
    display.update({ label: 'a', doneBytes: 0, totalBytes: MiB });
    display.update({ label: 'b' });
    clock.pass(1000);
    display.update({ label: 'a', doneBytes: MiB, totalBytes: MiB });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { label: 'a', doneBytes: 0, totalBytes: MiB },
      { label: 'b' },
      { label: 'a', doneBytes: MiB, totalBytes: MiB, rate: MiB, etaSeconds: 0 },
    ]);
  });
});

describe('progress as plain lines', () => {
  it('is silent about what is done within three seconds, then tells every five', () => {
    const clock = aClock();
    const lines: string[] = [];
    const display = lineProgress('Synchronising', clock, (line) => lines.push(line));
    for (let second = 0; second < 14; second++) {
      display.update({ label: 'web1', doneBytes: second * MiB, totalBytes: 100 * MiB });
      clock.pass(1000);
    }
    expect(lines).toEqual([
      'Synchronising: web1  3 MiB of 100 MiB (3 %), 1 MiB/s, 1 min 37 s left',
      'Synchronising: web1  8 MiB of 100 MiB (8 %), 1 MiB/s, 1 min 32 s left',
      'Synchronising: web1  13 MiB of 100 MiB (13 %), 1 MiB/s, 1 min 27 s left',
    ]);
  });
});

it('shows names safely', () => expect(progressText({ label: '\u001b[2J' })).toBe('\\e[2J'));
