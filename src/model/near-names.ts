/** Up to three of `known` that a user may have meant by `typed`, nearest first; for hints. */
export function nearNames(typed: string, known: Iterable<string>): string[] {
  const wanted = typed.toLowerCase();
  const limit = Math.max(2, Math.floor(typed.length / 3));
  return [...new Set(known)]
    .map((name) => ({ name, distance: distanceOf(wanted, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= limit || name.toLowerCase().includes(wanted))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's edit distance, of the first 100 characters. */
function distanceOf(left: string, right: string): number {
  const from = left.slice(0, 100);
  const to = right.slice(0, 100);
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substituted = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
