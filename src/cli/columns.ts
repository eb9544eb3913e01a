import type { Style } from './app.ts';

/** Rows as text in columns as wide as their widest cell; the last column is not padded. The heading is dimmed. */
export function columns(heading: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [style.dim(line(heading)), ...rows.map(line)].join('\n');
}
