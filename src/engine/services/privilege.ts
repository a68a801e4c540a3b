/** How scripts on a server become root: not at all, by sudo without a question, or by sudo with a password that travels in the script. */
import { quote } from '../../remote/shell.ts';

export type Sudo =
  /** The login user is root, or nothing needs root. */
  | { readonly kind: 'none' }
  | { readonly kind: 'free' }
  | { readonly kind: 'password'; readonly password: string };

/**
 * Defines the shell function `as`, which runs a command as root. The script comes through standard input and `printf` is the shell's own,
 * so a password is in no argument.
 */
export function defineAs(sudo: Sudo): string {
  switch (sudo.kind) {
    case 'none':
      return 'as() { "$@"; }';
    case 'free':
      return 'as() { sudo -n "$@"; }';
    case 'password':
      return `durant_word=${quote(sudo.password)}\nas() { printf '%s\\n' "$durant_word" | sudo -S -p '' "$@"; }`;
  }
}

/** Exit status 0 where sudo takes the password. */
export function tryPassword(password: string): string {
  return `printf '%s\\n' ${quote(password)} | sudo -S -k -p '' true 2>/dev/null`;
}
