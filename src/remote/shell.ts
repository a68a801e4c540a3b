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
 * The parameters of a shell file, to stand in front of it: each is assigned to the variable of its name.
 * @param paths server paths: a leading `~/` stands for the login user's home.
 */
export function parameters(
  words: Readonly<Record<string, string | number>>,
  paths: Readonly<Record<string, string>> = {},
): string {
  const assigned = [
    ...Object.entries(paths).map(([name, path]) => `${name}=${quotePath(path)}`),
    ...Object.entries(words).map(([name, word]) => `${name}=${quote(String(word))}`),
  ];
  return `${assigned.join(' ')}\n`;
}

/** The arguments of a shell file, as parameters are: for a list. */
export function positional(words: readonly string[]): string {
  return `set -- ${words.map(quote).join(' ')}\n`;
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

/**
 * Defines the shell function `where_am_i`: sets `$cwd` to the folder that the shell is really in. dash and busybox have asked the system when
 * they have changed their folder; others set PWD to what they looked up before, which somebody may have replaced by a link since.
 */
export const whereAmI = `if [ -z "\${BASH_VERSION-}\${KSH_VERSION-}\${ZSH_VERSION-}" ] && [ "$(uname)" = Linux ]; then where_am_i() { cwd=$PWD; }
else where_am_i() { cwd=$(env pwd -P; echo .); cwd=\${cwd%??}; }; fi`;

/**
 * Defines `where_am_i` and the shell function `enter PATH`: goes to a folder below the working directory that the script had when this text ran. Fails where
 * a folder on the way is a symbolic link, also one that somebody puts there in this moment: what the shell has entered is looked at, and
 * commands with names in that folder then reach nothing else. Paths have neither `.` nor `..` in them.
 */
export function enterFolder(): string {
  return `${whereAmI}
top=$(pwd -P) && export top || exit 1
enter() { cd -P "$top" && cd -P "./$1" 2>/dev/null && where_am_i && { [ "$cwd" = "$top/$1" ] || { [ "$1" = . ] && [ "$cwd" = "$top" ]; }; }; }`;
}

/**
 * Makes a folder of its own, `$NAME`, which goes with the shell however that is ended, but by KILL. The traps come first, and removing is not
 * cut short by another signal: one that ends a script goes to all of its processes. True where the folder was made.
 */
export function scratchFolder(name: string): string {
  return `${name}=; trap 'trap "" HUP INT PIPE TERM; rm -rf "$${name}"' EXIT; trap 'exit 1' HUP INT PIPE TERM
${name}=$(mktemp -d)`;
}

/** Leaves a script to a process that goes on when the connection ends. It reads its text from a pipe, so no file and no argument has it. */
export function startDetached(script: string): string {
  return `command -v setsid >/dev/null 2>&1 && detach=setsid || detach=nohup
printf %s ${quote(script)} | $detach sh -c 'eval "$(cat)"' >/dev/null 2>&1 &`;
}
