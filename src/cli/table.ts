/** Rows as columns: each as wide as its widest cell, the last as it is. `right`: columns of numbers, aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    head
      .map((_, column) => {
        const cell = row[column] ?? '';
        const gap = ' '.repeat(Math.max(0, widths[column]! - width(cell)));
        if (right.includes(column)) return gap + cell;
        return column === head.length - 1 ? cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** Characters that take room: colours take none. */
function width(cell: string): number {
  return cell.replace(/\u001b\[[0-9;]*m/g, '').length;
}
