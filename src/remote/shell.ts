/** The only place where words are quoted for a POSIX shell, and the small sh snippets that several steps share. */
import { shellFile } from './shellFile.ts';

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

const refuse = shellFile(import.meta.url, './refuseLinks.sh');
const folder = shellFile(import.meta.url, './enterFolder.sh');

/** Defines the shell function `refuse_links PATH`. */
export function refuseLinks(): string {
  return refuse;
}

/** Defines the shell function `where_am_i`. */
export const whereAmI = shellFile(import.meta.url, './whereAmI.sh');

/** Defines `where_am_i` and the shell function `enter PATH`. */
export function enterFolder(): string {
  return whereAmI + folder;
}

/**
 * Makes a folder of its own, `$NAME`, which goes with the shell however that is ended, but by KILL. The traps come first, and removing is not
 * cut short by another signal: one that ends a script goes to all of its processes. True where the folder was made.
 */
export function scratchFolder(name: string): string {
  return `${name}=; trap 'trap "" HUP INT PIPE TERM; rm -rf "$${name}"' EXIT; trap 'exit 1' HUP INT PIPE TERM
${name}=$(mktemp -d)`;
}

/**
 * Leaves a script to a process that goes on when the connection ends. It reads its text from a pipe, so no file and no argument has it.
 * @param inScope in a scope of the user's systemd, where one can be had: for a server that ends a user's processes with the session.
 */
export function startDetached(script: string, inScope: boolean): string {
  const detach = 'command -v setsid >/dev/null 2>&1 && detach=setsid || detach=nohup';
  const text = `printf %s ${quote(script)}`;
  if (!inScope) return `${detach}\n${text} | $detach sh -c 'eval "$(cat)"' >/dev/null 2>&1 &`;
  // By the time that it says something it is no part of the session, and has all of its text.
  return `${detach}
XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
! systemd-run --user --scope -q true >/dev/null 2>&1 || detach="systemd-run --user --scope -q $detach"
( ${text} | $detach sh -c 'text=$(cat); echo; exec >/dev/null; eval "$text"' 2>/dev/null & ) | { read -r _ || :; }`;
}
