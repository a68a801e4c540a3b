/** The hosts on the way to a server: its own settings and those of each jump host. */
import { DurantError } from '../errors.ts';
import type { ReadSettings, SettingsQuery, SshSettings } from './sshSettings.ts';
import { jumpHosts, type JumpHost } from './jump.ts';

/**
 * Settings of the server, then of its jump hosts, the nearest to the server first.
 * @throws {DurantError} `connection-unsupported` for jump hosts that lead back to one another, and as `ReadSettings`.
 */
export async function readRoute(
  query: SettingsQuery,
  read: ReadSettings,
  signal: AbortSignal,
): Promise<readonly [SshSettings, ...SshSettings[]]> {
  const first = await read(query, signal);
  const jumps: SshSettings[] = [];
  const seen = new Map([[hostId(first), first.originalHost]]);
  for (let last = lastJump(first); last !== undefined;) {
    const settings = await readJump(last, query.sshPath, read, signal);
    const id = hostId(settings);
    if (seen.has(id)) throw loop([...seen.values(), settings.originalHost]);
    seen.set(id, settings.originalHost);
    jumps.push(settings);
    last = lastJump(settings);
  }
  return [first, ...jumps];
}

/** The jump host that connects to a server, and those before it. */
export interface LastJump {
  readonly host: JumpHost;
  readonly before: readonly JumpHost[];
}

/** Undefined where there is none. */
export function lastJump(settings: SshSettings): LastJump | undefined {
  const jumps = jumpHosts(settings);
  const host = jumps.at(-1);
  return host && { host, before: jumps.slice(0, -1) };
}

/** Settings of a jump host: those named in front of it replace its own way, as in ssh. */
export async function readJump(
  { host, before }: LastJump,
  sshPath: string | undefined,
  read: ReadSettings,
  signal: AbortSignal,
): Promise<SshSettings> {
  const settings = await read({ ...host, identity: undefined, sshPath }, signal);
  if (before.length === 0) return settings;
  return { ...settings, proxyCommand: undefined, proxyJump: before.map((hop) => hop.text).join(',') };
}

/** What decides how the way goes on from a host. */
function hostId({ originalHost, user, hostname, port, proxyJump }: SshSettings): string {
  return JSON.stringify([originalHost, user, hostname, port, proxyJump]);
}

function loop(hosts: readonly string[]): DurantError {
  return new DurantError('connection-unsupported', `ProxyJump leads in a loop: ${hosts.join(' → ')}.`, {
    remedy: 'Correct ProxyJump in the ssh configuration, or set ProxyJump none for a jump host.',
  });
}
