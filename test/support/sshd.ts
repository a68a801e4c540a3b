/**
 * A real OpenSSH sshd with its own folder, keys, port, home and, where wanted, busybox's tools instead of the system's. Works as root
 * and as any other user (who is then also the login user).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/remote/shell.ts';
import {
  endProcesses,
  processesWithEnvironment,
  processTree,
  runEnvironment,
  type FoundProcess,
} from './processes.ts';
import { makeToolsPath, type ServerTools } from './serverTools.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
/** Every process that a test server runs for a client carries this variable. */
export const mark = 'DURANT_TEST_SERVER';

export interface SshdOptions {
  /** Whose tools are on the server's PATH. Default `system`. */
  readonly tools?: ServerTools;
  /** Replaces the server's whole PATH; `tools` is then without effect. */
  readonly path?: string;
  /** Login shell that gets the command line as `-c`, as words; default the first `sh` of the server's PATH. */
  readonly shell?: string | readonly string[];
  readonly maxSessions?: number;
  /** Host keys to make; default one ed25519. */
  readonly hostKeys?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** Passphrase of the client's key; default none. */
  readonly passphrase?: string;
  /**
   * An account of this server alone. Needs root (a private mount namespace with its own passwd and shadow): see `canHaveAccounts`.
   * Default: the user who runs the tests.
   */
  readonly account?: { readonly name: string; readonly password: string; readonly uid: number };
  /** True: also what is mounted on this machine once the server runs is seen there. Default false, which takes two programs less. */
  readonly seesMounts?: boolean;
  /** False: no SFTP subsystem. Default true. */
  readonly sftp?: boolean;
  /** A fixed port, for a server that comes back. Default: a free one. */
  readonly port?: number;
  /** More lines for sshd_config; sshd takes the first value of each keyword, and these come first. */
  readonly config?: readonly string[];
  /** Also into the environment of what runs there. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  /** `user@127.0.0.1:port`, for `server:` in durant.conf. */
  readonly entry: string;
  /** Everything of this server; removed by `stop`. */
  readonly directory: string;
  /** $HOME and first working directory of what runs there: put project dirs in it. */
  readonly home: string;
  /** The client's private key, which the server lets in. */
  readonly clientKey: string;
  /** known_hosts lines of this server, one a host key. */
  readonly knownHostsLines: readonly string[];
  /** A known_hosts file with them. */
  readonly knownHosts: string;
  /** An ssh_config for this server alone: key, known_hosts, no agent. */
  readonly sshConfig: string;
  /** An `ssh` that reads `sshConfig` instead of the user's and the system's configuration: for `sshPath` or, its folder, a PATH. */
  readonly sshPath: string;
  /** What sshd wrote so far (LogLevel VERBOSE). */
  log(): string;
  /** What still runs there for clients (not sshd itself). */
  processes(): Promise<readonly FoundProcess[]>;
  /** sshd's processes, the listener first: to cut or freeze connections. */
  daemons(): Promise<readonly FoundProcess[]>;
  /** Ends the daemon, what it runs, and removes the folder. Idempotent. */
  stop(): Promise<void>;
}

/** What ends the servers that run, however many, where the tests are interrupted and nobody calls `stop`. */
const atExit = new Set<() => void>();
process.once('exit', () => atExit.forEach((end) => end()));

/** Whether `account` can be used: root with the right to make mount namespaces. */
export function canHaveAccounts(): Promise<boolean> {
  return (mountable ??= triesToMount());
}

let mountable: Promise<boolean> | undefined;

async function triesToMount(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return run('unshare', ['-m', 'mount', '--bind', '/etc/passwd', '/etc/passwd']).then(
    () => true,
    () => false,
  );
}

/** Starts the server and waits until it listens. */
export async function startSshd(options: SshdOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'durant-sshd-'));
  await chmod(directory, 0o755);
  const home = join(directory, 'home');
  await mkdir(home);
  const id = randomBytes(8).toString('hex');
  const user = options.account?.name ?? userInfo().username;
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });

  const hostKeys = await makeHostKeys(directory, options.hostKeys ?? ['ed25519']);
  const clientKey = join(directory, 'client_key');
  await makeKey(clientKey, 'ed25519', options.passphrase ?? '');
  const authorizedKeys = join(directory, 'authorized_keys');
  await writeFile(authorizedKeys, await readFile(`${clientKey}.pub`, 'utf8'));
  const path = options.path ?? makeToolsPath(directory, options.tools ?? 'system');
  const shell = [options.shell ?? firstShell(path)].flat();
  // With an account that has this shell and home nothing stands between sshd and what it is asked to run: two programs less each time.
  const plain = options.seesMounts !== true && shell.length === 1 && (await canHaveAccounts());
  const accounts =
    plain || options.account
      ? await writeAccounts(directory, home, (plain && shell[0]) || '/bin/sh', options.account)
      : undefined;
  const login = plain ? undefined : await writeLogin(directory, home, shell);

  const environment = {
    ...runEnvironment(),
    SHELL: ((options.shell ?? options.account) ? shell[0] : userInfo().shell) ?? '/bin/sh',
    ...options.environment,
    HOME: home,
    PATH: path,
    [mark]: id,
  };
  const listening = await listen(options, {
    directory,
    accounts,
    lines: [
      ...(options.config ?? []),
      'ListenAddress 127.0.0.1',
      ...hostKeys.map((key) => `HostKey ${key}`),
      `AuthorizedKeysFile ${authorizedKeys}`,
      `PidFile none`,
      'StrictModes no',
      'UsePAM no',
      'LogLevel VERBOSE',
      'PermitRootLogin yes',
      `PasswordAuthentication ${options.account ? 'yes' : 'no'}`,
      'KbdInteractiveAuthentication no',
      // Of this keyword alone sshd takes the last value.
      ...(options.config?.some((line) => line.startsWith('MaxStartups')) === true ? [] : ['MaxStartups 200']),
      'UseDNS no',
      'PrintMotd no',
      // What ssh prefers takes it 0.1 s of a processor at each login, and this 0.02 s. The sshd of the Debians has the defaults.
      'KexAlgorithms ecdh-sha2-nistp256',
      ...(login === undefined ? [] : [`ForceCommand exec ${login}`]),
      `SetEnv ${Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
      ...(options.maxSessions === undefined ? [] : [`MaxSessions ${options.maxSessions}`]),
      ...(options.sftp === false ? [] : [`Subsystem sftp ${sftpServer()}`]),
    ],
  });
  const { port, daemon, log } = listening;
  const client = await writeClient(directory, { port, user, hostKeys, clientKey });

  const processes = () => processesWithEnvironment(mark, id);
  const daemons = () => (daemon.pid === undefined ? Promise.resolve([]) : sshdTree(daemon.pid));
  const onExit = () => {
    daemon.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  atExit.add(onExit);
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    atExit.delete(onExit);
    const family = daemon.pid === undefined ? [] : await processTree(daemon.pid);
    endProcesses(family);
    await waitFor('the test server to end', async () => {
      const left = await processes();
      endProcesses(left);
      return left.length === 0 && (daemon.exitCode !== null || daemon.signalCode !== null);
    });
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    host: '127.0.0.1',
    port,
    user,
    entry: `${user}@127.0.0.1:${port}`,
    directory,
    home,
    clientKey,
    ...client,
    log,
    processes,
    daemons,
    stop: () => (stopping ??= stop()),
  };
}

/**
 * One `ssh` for several servers: writes a configuration, known_hosts and a wrapper into `directory` (made here) and gives the
 * wrapper's folder, to be put first on a PATH.
 */
export async function writeSshForServers(
  directory: string,
  servers: readonly TestServer[],
): Promise<{ readonly bin: string; readonly sshConfig: string; readonly knownHosts: string }> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, servers.flatMap((server) => [...server.knownHostsLines, '']).join('\n'));
  const sshConfig = join(directory, 'ssh_config');
  const keys = join(directory, 'keys');
  for (const { port, clientKey } of servers) {
    await mkdir(join(keys, String(port)), { recursive: true });
    await symlink(clientKey, join(keys, String(port), 'client_key'));
  }
  await writeFile(
    sshConfig,
    ['Host 127.0.0.1', `  IdentityFile ${keys}/%p/client_key`, ...clientDefaults(knownHosts), ''].join('\n'),
  );
  await writeSshWrapper(join(directory, 'bin', 'ssh'), sshConfig);
  return { bin: join(directory, 'bin'), sshConfig, knownHosts };
}

/** A free loopback port. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function makeHostKeys(
  directory: string,
  types: readonly ('ed25519' | 'ecdsa' | 'rsa')[],
): Promise<readonly string[]> {
  const files = types.map((type) => join(directory, `host_${type}_key`));
  await Promise.all(files.map((file, index) => makeKey(file, types[index] ?? 'ed25519', '')));
  return files;
}

export async function makeKey(file: string, type: string, passphrase: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'durant-test', '-f', file]);
}

function firstShell(path: string): string {
  const shells = path.split(':').map((folder) => join(folder, 'sh'));
  return shells.find((file) => existsSync(file)) ?? '/bin/sh';
}

/** What sshd starts instead of the user's shell, where passwd cannot say it: the same shell and folder whatever that says. */
async function writeLogin(directory: string, home: string, shell: readonly string[]): Promise<string> {
  const login = join(directory, 'login');
  await writeFile(
    login,
    `#!/bin/sh\ncd '${home}' || exit 1\nexec ${shell.map(quote).join(' ')} -c "$SSH_ORIGINAL_COMMAND"\n`,
    { mode: 0o755 },
  );
  return login;
}

/** Writes what the server sees as /etc/passwd and /etc/shadow, and gives their paths by those. */
async function writeAccounts(
  directory: string,
  home: string,
  shell: string,
  account: SshdOptions['account'],
): Promise<Readonly<Record<string, string>>> {
  const passwd = join(directory, 'passwd');
  const known = readFileSync('/etc/passwd', 'utf8');
  if (account === undefined) {
    const { username } = userInfo();
    const lines = known.split('\n').map((line) => {
      const fields = line.split(':');
      return fields[0] === username ? [...fields.slice(0, 5), home, shell].join(':') : line;
    });
    await writeFile(passwd, lines.join('\n'));
    return { '/etc/passwd': passwd };
  }
  const hashing = run('openssl', ['passwd', '-6', '-stdin']);
  hashing.child.stdin?.end(`${account.password}\n`);
  const hash = (await hashing).stdout.trim();
  const shadow = join(directory, 'shadow');
  const { name, uid } = account;
  await writeFile(passwd, `${known}${name}:x:${uid}:${uid}::${home}:${shell}\n`);
  await writeFile(shadow, `${readFileSync('/etc/shadow', 'utf8')}${name}:${hash}:20000:0:99999:7:::\n`, {
    mode: 0o600,
  });
  await chown(home, uid, uid);
  return { '/etc/passwd': passwd, '/etc/shadow': shadow };
}

/** What a client of the server is given: known_hosts, an ssh_config, an `ssh`. `hostKeys` have their public halves beside them, in `.pub`. */
export async function writeClient(
  directory: string,
  server: { port: number; user: string; hostKeys: readonly string[]; clientKey: string },
): Promise<Pick<TestServer, 'knownHostsLines' | 'knownHosts' | 'sshConfig' | 'sshPath'>> {
  const lines = server.hostKeys.map((key) => {
    const [type, blob] = readFileSync(`${key}.pub`, 'utf8').split(' ');
    return `[127.0.0.1]:${server.port} ${type} ${blob}`;
  });
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `${lines.join('\n')}\n`);
  const sshConfig = join(directory, 'ssh_config');
  await writeFile(
    sshConfig,
    ['Host *', `  IdentityFile ${server.clientKey}`, ...clientDefaults(knownHosts), ''].join('\n'),
  );
  await mkdir(join(directory, 'bin'));
  const sshPath = join(directory, 'bin', 'ssh');
  await writeSshWrapper(sshPath, sshConfig);
  return { knownHostsLines: lines, knownHosts, sshConfig, sshPath };
}

function clientDefaults(knownHosts: string): readonly string[] {
  return [
    'Host *',
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${knownHosts}`,
    '  GlobalKnownHostsFile /dev/null',
  ];
}

async function writeSshWrapper(file: string, sshConfig: string): Promise<void> {
  // The real ssh is looked up now, since the wrapper's own folder will be first on the PATH.
  const real = (await run('sh', ['-c', 'command -v ssh'])).stdout.trim();
  await writeFile(file, `#!/bin/sh\nexec '${real}' -F '${sshConfig}' "$@"\n`, { mode: 0o755 });
}

function sftpServer(): string {
  const places = [
    '/usr/lib/openssh/sftp-server',
    '/usr/libexec/openssh/sftp-server',
    '/usr/lib/ssh/sftp-server',
  ];
  return places.find((place) => existsSync(place)) ?? '/usr/libexec/sftp-server';
}

interface Setup {
  readonly directory: string;
  readonly accounts: Readonly<Record<string, string>> | undefined;
  readonly lines: readonly string[];
}

/** Starts sshd; another port is tried where somebody took the first one in between. */
async function listen(
  options: SshdOptions,
  setup: Setup,
): Promise<{ readonly port: number; readonly daemon: ChildProcess; log(): string }> {
  const config = join(setup.directory, 'sshd_config');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    await writeFile(config, [...setup.lines, `Port ${port}`, ''].join('\n'));
    const chunks: Buffer[] = [];
    const log = () => Buffer.concat(chunks).toString();
    // -r: a connection is served by a copy of the listener, which need not start anew for it.
    const sshd = ['/usr/sbin/sshd', '-r', '-D', '-e', '-f', config];
    const command = setup.accounts ? inNamespace(setup.accounts, sshd) : sshd;
    const daemon = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    daemon.on('error', (error) => chunks.push(Buffer.from(`${error.message}\n`)));
    const started = await waitFor('sshd to listen', async () => {
      if (daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined) return 'ended';
      return log().includes('Server listening') && (await accepts(port)) ? 'listening' : undefined;
    });
    if (started === 'listening') return { port, daemon, log };
    if (attempt === 3 || !log().includes('Address already in use'))
      throw new Error(`sshd did not start: ${log()}`);
  }
}

/** The command, with these files and folders in place of those that it knows by the paths. Root only. */
export function inNamespace(
  replaced: Readonly<Record<string, string>>,
  command: readonly string[],
): readonly string[] {
  const mounts = Object.keys(replaced).map((path) => `mount --bind "$1" ${quote(path)} && shift`);
  const script = [...mounts, 'exec "$@"'].join(' && ');
  return ['unshare', '-m', 'sh', '-c', script, 'sh', ...Object.values(replaced), ...command];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('data', () => socket.destroy());
  });
}

async function sshdTree(pid: number): Promise<readonly FoundProcess[]> {
  return (await processTree(pid)).filter((found) => found.pid === pid || found.command.startsWith('sshd'));
}
