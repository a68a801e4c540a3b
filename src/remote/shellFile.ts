/**
 * What runs on servers stands in `.sh` files beside the module that sends it: POSIX sh and awk, read by shellcheck. Their parameters are shell
 * variables that `parameters` of shell.ts assigns in front of the text.
 */
import { readFileSync } from 'node:fs';

/**
 * The shell source in file `name` beside the module at `url`, as it is sent. A bundle holds the text: scripts/shellText.mjs puts it in place of
 * the call, whose arguments are therefore always `import.meta.url` and a literal.
 */
export function shellFile(url: string, name: string): string {
  return compact(readFileSync(new URL(name, url), 'utf8'));
}

/**
 * Without what only people and shellcheck read: indentation, blank lines, lines of comments, and lines `: "${name?}"`, which name parameters.
 * It goes by lines alone, so no text in quotes may depend on how a line of it begins.
 */
export function compact(source: string): string {
  const isSent = (line: string): boolean => line !== '' && !line.startsWith('#') && !line.startsWith(': "${');
  const lines = source
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(isSent);
  return `${lines.join('\n')}\n`;
}
