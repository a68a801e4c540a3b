/** The only place where words are quoted for a POSIX shell, and the small sh snippets that several steps share. */

/** Quotes one word for POSIX sh; safe for any text without NUL. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) && !word.startsWith('-')
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Quotes a server path. A leading `~/` stands for the login user's home (as `"$HOME"/…`); every other character is literal.
 */
export function quotePath(path: string): string {
  if (path === '~') return '"$HOME"';
  return path.startsWith('~/') ? `"$HOME"/${quote(path.slice(2))}` : quote(path);
}
