/** Entries of `server`: `[user@]host[:port] [ROLE …]`, and Durant's rule for this machine. */

/** A server entry of durant.conf, e.g. `deploy@web1:2222 [web]`. Structurally the `ServerAddress` of remote/target.ts. */
export interface ServerAddress {
  /** The entry as written, without its roles: its name in events, errors and `--server`. */
  readonly entry: string;
  /** Host name, alias of the ssh configuration, or address (IPv6 without brackets). */
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** True where the stage deploys to this machine without SSH. */
  readonly local: boolean;
  /** What the server is there for; empty: everything. */
  readonly roles: readonly string[];
}

const WORD = /^[A-Za-z0-9._:%-]+$/;
const LOCAL_NAMES: ReadonlySet<string> = new Set(['local', 'localhost', '127.0.0.1']);

/** Whether a host or user is safe to reach a command line. */
export function isSafeWord(word: string): boolean {
  return WORD.test(word) && !word.startsWith('-');
}

/** Whether a role has the form of one. */
export function isRole(text: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(text);
}

/** Whether a server is there for a role: one without any is there for all. */
export function hasRole({ roles }: Pick<ServerAddress, 'roles'>, role: string): boolean {
  return roles.length === 0 || roles.includes(role);
}

/**
 * Reads one entry. `local`, `localhost` and `127.0.0.1` mean this machine without SSH, unless the entry has a port or `user@`,
 * or `ssh_port` is set (config.md).
 * @returns the address, or a sentence that says what is wrong.
 */
export function parseServer(
  text: string,
  context: { readonly sshPort: number | undefined },
): ServerAddress | { readonly error: string } {
  const { entry, list } = splitRoles(text);
  const roles = list?.split(/[\s,]+/).filter((role) => role !== '') ?? [];
  const wrongRole = roles.find((role) => !isRole(role));
  if (wrongRole !== undefined)
    return { error: `"${text}" has the role "${wrongRole}". Roles are letters, digits and "-".` };
  if (list !== undefined && roles.length === 0)
    return { error: `"${text}" has empty brackets. Write roles into them, as in ${entry} [web].` };

  const at = entry.lastIndexOf('@');
  const user = at < 0 ? undefined : entry.slice(0, at);
  if (user !== undefined && !isSafeWord(user))
    return {
      error: `"${entry}" has a user name that is not allowed: letters, digits and . _ : % - only, not starting with -.`,
    };

  const split = splitPort(entry.slice(at + 1));
  if (split === undefined)
    return { error: `"${entry}" is not [user@]host[:port]. Write IPv6 addresses in brackets: [::1]:22.` };
  if (!isSafeWord(split.host))
    return {
      error: `"${entry}" has a host that is not allowed: letters, digits and . _ : % - only, not starting with -.`,
    };

  const port = split.port === undefined ? undefined : Number(split.port);
  if (port !== undefined && (port < 1 || port > 65_535))
    return { error: `"${entry}" has a port that does not exist. Ports are 1 to 65535.` };

  const local =
    LOCAL_NAMES.has(split.host) && user === undefined && port === undefined && context.sshPort === undefined;
  return { entry, host: split.host, user, port, local, roles };
}

/** Brackets after a blank hold roles; those of an IPv6 address stand at the beginning. */
function splitRoles(text: string): { readonly entry: string; readonly list: string | undefined } {
  const match = /^(\S+)\s+\[([^[\]]*)\]$/.exec(text);
  return { entry: match?.[1] ?? text, list: match?.[2] };
}

function splitPort(text: string): { readonly host: string; readonly port: string | undefined } | undefined {
  const bracketed = /^\[([^[\]]+)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed?.[1] !== undefined)
    return bracketed[1].includes(':') ? { host: bracketed[1], port: bracketed[2] } : undefined;
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  return plain?.[1] === undefined ? undefined : { host: plain[1], port: plain[2] };
}
