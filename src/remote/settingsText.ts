/** Lines `key value` as `ssh -G` prints them, understood as settings. Pure text and data; sshSettings.ts fetches the lines. */
import { createHash } from 'node:crypto';
import { platformOf } from '../platform.ts';

/** Effective settings for one host. Paths are expanded (`~`, `%h`, `${VAR}`). */
export interface SshSettings {
  /** The name as asked for; ssh's %n. */
  readonly originalHost: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** False where `identityFiles` are only the defaults, of which most do not exist. */
  readonly identityFilesChosen: boolean;
  readonly certificateFiles: readonly string[];
  /** Socket of the agent; undefined for none. */
  readonly agent: string | undefined;
  readonly identitiesOnly: boolean;
  readonly proxyJump: string | undefined;
  /** As written, tokens unexpanded: see `expandProxyCommand`. */
  readonly proxyCommand: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | undefined;
  readonly hashKnownHosts: boolean;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress: string | undefined;
  /** Seconds; 0 for never. */
  readonly serverAliveInterval: number;
  readonly serverAliveCountMax: number;
  readonly passwordPrompts: number;
  readonly forwardAgent: boolean;
  /** Authentication methods that are switched off. */
  readonly disabledMethods: readonly AuthenticationMethod[];
  /** Lower-cased key → last value, for what only `needsOpenssh` asks. */
  readonly other: ReadonlyMap<string, string>;
}

export type AuthenticationMethod = 'publickey' | 'password' | 'keyboard-interactive';

/** What paths and tokens are expanded with. */
export interface SettingsEnvironment {
  readonly home: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly localUser: string;
  readonly localHost: string;
  readonly platform: NodeJS.Platform;
}

const defaultIdentities = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'].map(
  (name) => `~/.ssh/${name}`,
);

/** Interprets lines `key value` as `ssh -G` prints them. Pure. */
export function interpretSettings(
  text: string,
  query: { readonly host: string },
  env: SettingsEnvironment,
): SshSettings {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*(\S+)\s+(.*?)\s*$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined
      ? []
      : [{ key: match[1].toLowerCase(), value: match[2] }];
  });
  const all = (key: string): string[] =>
    lines.filter((line) => line.key === key).map((line) => unquote(line.value));
  const one = (key: string): string | undefined => all(key)[0];
  const meaningful = (key: string): string | undefined => {
    const value = one(key);
    return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
  };
  const yes = (key: string, fallback: boolean): boolean => {
    const value = one(key)?.toLowerCase();
    return value === undefined ? fallback : value === 'yes' || value === 'true';
  };
  const number = (key: string, fallback: number): number => {
    const value = Number(one(key) ?? fallback);
    return Number.isFinite(value) ? value : fallback;
  };

  const hostname = one('hostname')?.replaceAll('%h', query.host).replaceAll('%%', '%') ?? query.host;
  const port = number('port', 22);
  const user = one('user') ?? env.localUser;
  const tokens = tokenValues({ hostname, port, user, originalHost: query.host, env }, one);
  const path = (value: string): string => expandPath(value, tokens, env);
  const paths = (key: string, fallback: readonly string[]): string[] => {
    const value = lines.find((line) => line.key === key)?.value;
    const words = value === undefined ? fallback : splitWords(value);
    return words.filter((word) => word.toLowerCase() !== 'none').map(path);
  };

  const identities = all('identityfile').filter((file) => file.toLowerCase() !== 'none');
  // Without a choice ssh lists all its defaults, five to seven of them.
  const isDefault = (file: string): boolean => /[/\\]\.ssh[/\\]id_\w+$/.test(file);
  return {
    originalHost: query.host,
    hostname,
    port,
    user,
    identityFiles: (all('identityfile').length === 0 ? defaultIdentities : identities).map(path),
    identityFilesChosen: identities.length > 0 && (identities.length < 4 || !identities.every(isDefault)),
    certificateFiles: all('certificatefile')
      .filter((file) => file.toLowerCase() !== 'none')
      .map(path),
    agent: agentSocket(one('identityagent'), path, env),
    identitiesOnly: yes('identitiesonly', false),
    proxyJump: meaningful('proxyjump'),
    proxyCommand: meaningful('proxycommand'),
    userKnownHostsFiles: paths('userknownhostsfile', ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']),
    globalKnownHostsFiles: paths('globalknownhostsfile', [
      '/etc/ssh/ssh_known_hosts',
      '/etc/ssh/ssh_known_hosts2',
    ]),
    hostKeyAlias: meaningful('hostkeyalias'),
    hashKnownHosts: yes('hashknownhosts', false),
    addressFamily: family(one('addressfamily')),
    bindAddress: meaningful('bindaddress'),
    serverAliveInterval: number('serveraliveinterval', 0),
    serverAliveCountMax: number('serveralivecountmax', 3),
    passwordPrompts: number('numberofpasswordprompts', 3),
    forwardAgent: yes('forwardagent', false),
    disabledMethods: [
      ...(yes('pubkeyauthentication', true) ||
      ['unbound', 'host-bound'].includes(one('pubkeyauthentication') ?? '')
        ? []
        : (['publickey'] as const)),
      ...(yes('passwordauthentication', true) ? [] : (['password'] as const)),
      ...(yes('kbdinteractiveauthentication', yes('challengeresponseauthentication', true))
        ? []
        : (['keyboard-interactive'] as const)),
    ],
    other: new Map(lines.map((line) => [line.key, unquote(line.value)])),
  };
}

function family(value: string | undefined): 'any' | 'inet' | 'inet6' {
  return value === 'inet' || value === 'inet6' ? value : 'any';
}

function agentSocket(
  configured: string | undefined,
  path: (value: string) => string,
  env: SettingsEnvironment,
): string | undefined {
  if (configured?.toLowerCase() === 'none') return undefined;
  if (configured !== undefined && configured !== 'SSH_AUTH_SOCK') {
    const variable = /^\$([A-Za-z_]\w*)$/.exec(configured)?.[1];
    return variable === undefined ? path(configured) : env.variables[variable];
  }
  const socket = env.variables['SSH_AUTH_SOCK'];
  if (socket !== undefined && socket !== '') return socket;
  return platformOf(env.platform).agentSocket;
}

type Tokens = Readonly<Record<string, string>>;

interface TokenSource {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly originalHost: string;
  readonly env: SettingsEnvironment;
}

/** ssh_config(5), TOKENS. */
function tokenValues(from: TokenSource, one: (key: string) => string | undefined): Tokens {
  const { hostname, port, user, originalHost, env } = from;
  const jump = one('proxyjump') ?? '';
  return {
    '%': '%',
    d: env.home,
    h: hostname,
    i: String(process.getuid?.() ?? 0),
    j: jump === 'none' ? '' : jump,
    k: one('hostkeyalias') ?? originalHost,
    L: env.localHost.split('.')[0] ?? env.localHost,
    l: env.localHost,
    n: originalHost,
    p: String(port),
    r: user,
    u: env.localUser,
    C: createHash('sha1')
      .update(`${env.localHost}${hostname}${port}${user}${jump === 'none' ? '' : jump}`)
      .digest('hex'),
  };
}

function expandPath(value: string, tokens: Tokens, env: SettingsEnvironment): string {
  const tilde = value === '~' || /^~[/\\]/.test(value) ? env.home + value.slice(1) : value;
  return tilde
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => env.variables[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
}

/** The command line of ProxyCommand, its tokens filled in; for a shell, as ssh does it. */
export function expandProxyCommand(settings: SshSettings): string | undefined {
  const tokens: Tokens = {
    '%': '%',
    h: settings.hostname,
    n: settings.originalHost,
    p: String(settings.port),
    r: settings.user,
  };
  return settings.proxyCommand?.replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
}

function unquote(value: string): string {
  return /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value;
}

function splitWords(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}
