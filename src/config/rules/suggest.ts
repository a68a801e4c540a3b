/** "Did you mean": the nearest of some names. */

/** More names than a person writes; a generated file must not freeze an editor. */
const MAX_CANDIDATES = 300;

/** The candidate that is nearest to `word`, where it is near enough to be a slip of the finger; else undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const from = word.toLowerCase();
  if (from.length > 100) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(from.length / 3)) + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if ((seen += 1) > MAX_CANDIDATES) break;
    const to = candidate.toLowerCase();
    if (to === from) {
      if (candidate !== word) return candidate;
      continue;
    }
    if (Math.abs(to.length - from.length) >= bestDistance) continue;
    const distance = editDistance(from, to, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours. From `limit` on it does not matter how
 * far, and `limit` or more is returned.
 */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
      if (cost < least) least = cost;
    }
    // No later row has less: a swap reaches back two rows, but costs one.
    if (least >= limit) return least;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
