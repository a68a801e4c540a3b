/** Hides secrets in text that people or files get to see. */

const MASK = '***';
/** A shorter secret is hidden only where it stands as a word of its own: else every "a" of a log would go. */
const SHORT = 4;

/**
 * A function that replaces every secret by `***`: as it is, as JSON, URLs and shell quotes write it, and, where it has several lines,
 * line by line, since output arrives so.
 */
export function createMasker(secrets: readonly string[]): (text: string) => string {
  const needles = [...new Set(secrets.flatMap(needlesOf))].sort((a, b) => b.length - a.length);
  if (needles.length === 0) return (text) => text;
  const pattern = new RegExp(needles.map(patternOf).join('|'), 'gu');
  return (text) => text.replace(pattern, MASK);
}

function needlesOf(secret: string): readonly string[] {
  const whole = secret.trim();
  if (whole === '') return [];
  const lines = whole.split(/\r\n|\r|\n/).map((line) => line.trim());
  // A short line of a long secret (a bracket, "fi") tells nothing, and hiding it would hide half of the log.
  const parts = lines.length === 1 ? lines : [whole, ...lines.filter((line) => line.length >= SHORT)];
  return parts.flatMap((part) => [
    part,
    JSON.stringify(part).slice(1, -1),
    encoded(part),
    part.replaceAll("'", `'\\''`),
  ]);
}

/** A lone surrogate cannot be encoded. */
function encoded(part: string): string {
  return /\p{Surrogate}/u.test(part) ? part : encodeURIComponent(part);
}

function patternOf(needle: string): string {
  const literal = needle.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return needle.length < SHORT ? `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])` : literal;
}
