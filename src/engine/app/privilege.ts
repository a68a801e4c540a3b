/** How scripts on a server become root: not at all, by sudo without a question, or by sudo with a password that travels in the script. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection, Prompter } from '../../remote/target.ts';

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

export interface SudoRequest {
  readonly connection: Connection;
  /** What a look at the server found. */
  readonly found: 'none' | 'free' | 'password' | 'missing';
  /** The login user there. */
  readonly user: string;
  readonly prompt: Prompter;
  /** Told a password before anything could show it. */
  readonly addSecrets: (secrets: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** How the login user becomes root, asking for a password where sudo does. @throws {DurantError} `permission-denied`. */
export async function obtainSudo(request: SudoRequest): Promise<Sudo> {
  const { connection, found, user, prompt, addSecrets, signal } = request;
  if (found === 'none' || found === 'free') return { kind: found };
  const { entry, host, port } = connection.address;
  if (found === 'missing')
    throw new DurantError(
      'permission-denied',
      `${entry} has no sudo, and ${user} is not root, so system units cannot be changed.`,
      { remedy: 'Install sudo there, or write systemd = user.', server: entry },
    );
  for (let attempt = 1; attempt <= 3; attempt++) {
    const message = `sudo password of ${user} on ${entry}${attempt === 1 ? '' : ' (the last one was wrong)'}`;
    const password = await prompt(
      { kind: 'password', server: entry, message, user, host, port, attempt },
      signal,
    );
    if (password === undefined) break;
    addSecrets([password]);
    const result = await connection.exec({ script: tryPassword(password), signal });
    if (result.status === 0) return { kind: 'password', password };
  }
  throw new DurantError(
    'permission-denied',
    `sudo on ${entry} asks ${user} for a password, and none was given.`,
    {
      remedy: `Run it in a terminal or the editor, let ${user} use sudo without one (NOPASSWD in sudoers), or write systemd = user.`,
      server: entry,
    },
  );
}
