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

/**
 * Defines the shell function `refuse_links PATH`: fails, saying why, where a folder on the way to PATH is a symbolic link. What comes
 * from a repository could otherwise lead a step out of the release.
 */
export function refuseLinks(): string {
  return `refuse_links() {
  d=$1
  while :; do
    case $d in */*) d=\${d%/*};; *) return 0;; esac
    [ -n "$d" ] || return 0
    if [ -L "$d" ]; then printf '%s\\n' "$1: $d is a symbolic link, which Durant does not follow here" >&2; return 1; fi
  done
}`;
}
