/** The fenced examples of a page of Markdown. */

/** What stands in its blocks of one language, in their order. */
export function examplesOf(markdown: string, language: string): readonly string[] {
  const blocks = markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm);
  return [...blocks].flatMap(([, found, text = '']) => (found === language ? [text] : []));
}
