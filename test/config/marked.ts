/** Takes the marks « and » out of a text: what was between them is where something is expected. */
export function marked(source: string): {
  readonly text: string;
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
} {
  const ranges: { readonly start: number; readonly end: number }[] = [];
  let text = '';
  let start = 0;
  for (const piece of source.split(/([«»])/)) {
    if (piece === '«') start = text.length;
    else if (piece === '»') ranges.push({ start, end: text.length });
    else text += piece;
  }
  return { text, ranges };
}

/** The text with a quick fix applied. */
export function applied(
  text: string,
  edits: readonly {
    readonly range: { readonly start: number; readonly end: number };
    readonly text: string;
  }[],
): string {
  return [...edits]
    .sort((a, b) => b.range.start - a.range.start)
    .reduce((now, edit) => now.slice(0, edit.range.start) + edit.text + now.slice(edit.range.end), text);
}
