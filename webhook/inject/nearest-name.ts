/** Longer names are nobody's slip of the pen; comparing them would only cost time. */
const maxLength = 48;

/** The known name that a person probably meant: at most three edits away, whatever the case. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxLength) return undefined;
  const distances = known.map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate) }));
  const nearest = distances.reduce((best, next) => (next.distance < best.distance ? next : best), { candidate: "", distance: 4 });
  return nearest.candidate === "" ? undefined : nearest.candidate;
}

/** Levenshtein: insertions, deletions and replacements of single characters. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, character] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const replaced = (previous[column] ?? 0) + (character === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
