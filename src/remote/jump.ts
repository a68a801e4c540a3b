/** ProxyJump: `[user@]host[:port]` or `ssh://[user@]host[:port]`, comma separated, first hop first. */
import { DurantError } from '../errors.ts';
import { isSafeName, type SshSettings } from './sshSettings.ts';

export interface JumpHost {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** As written. */
  readonly text: string;
}

/** The jump hosts in order; none where ProxyJump is not set. ssh lets a ProxyCommand and a ProxyJump exclude each other already. */
export function jumpHosts(settings: Pick<SshSettings, 'proxyJump' | 'originalHost'>): JumpHost[] {
  const { proxyJump } = settings;
  if (proxyJump === undefined) return [];
  return proxyJump.split(',').map((part) => parseJumpHost(part.trim(), settings.originalHost));
}

function parseJumpHost(text: string, forHost: string): JumpHost {
  const match =
    /^(?:ssh:\/\/)?(?:(?<user>[^@]+)@)?(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+))(?::(?<port>\d+))?\/?$/.exec(
      text,
    );
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const user = match?.groups?.['user'];
  if (host === undefined || !isSafeName(host) || (user !== undefined && !isSafeName(user)))
    throw new DurantError('connection-unsupported', `ProxyJump ${text} of ${forHost} cannot be read.`, {
      remedy: 'Write it as [user@]host[:port].',
    });
  const port = match?.groups?.['port'];
  return { host, user, port: port === undefined ? undefined : Number(port), text };
}
