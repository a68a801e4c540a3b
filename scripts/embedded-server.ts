/**
 * A small SSH server in this process, for the demo and for tests on machines without sshd: runs what it is asked to run through the
 * machine's own `sh`, in a scratch folder. Needs neither root nor a network. Loopback only; no SFTP, no terminal.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { constants as files, accessSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import ssh2, {
  type AuthContext,
  type Connection,
  type ParsedKey,
  type ServerChannel,
  type Session,
} from 'ssh2';
import { quote } from '../src/remote/shell.ts';

export interface EmbeddedServerOptions {
  /** $HOME and working directory of what runs there; must exist. */
  readonly root: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The one user who may log in; default `demo`. */
  readonly user?: string;
  /** Also lets this password in. */
  readonly password?: string;
  /** Also lets in who answers this to keyboard-interactive's `Verification code: `. */
  readonly oneTimeCode?: string;
  /** Added to the environment of what runs there. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of connections, logins and commands. */
  readonly log?: (message: string) => void;
}

export interface EmbeddedServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  /** `user@127.0.0.1:port`, for `server:` in durant.conf. */
  readonly entry: string;
  /** The server's line for a known_hosts file. */
  readonly hostKeyLine: string;
  /** A private key that it lets in. */
  readonly clientKeyPath: string;
  /** A known_hosts file with `hostKeyLine`. */
  readonly knownHostsPath: string;
  /** An ssh_config with the key and that known_hosts. */
  readonly sshConfigPath: string;
  /**
   * HOME and PATH for a client that is to know this server and nothing of the user's own ssh configuration: on that PATH, `ssh`
   * reads `sshConfigPath`; where there is no `ssh`, HOME has it in `.ssh`.
   */
  readonly clientEnvironment: { readonly HOME: string; readonly PATH: string };
  /** Ends connections and what runs there, and removes its keys (not `root`). Idempotent. */
  stop(): Promise<void>;
}

/** Starts the server and waits until it listens. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const user = options.user ?? 'demo';
  // One in 500 of the Ed25519 keys that ssh2 1.17 generates cannot be read by ssh2 itself.
  const hostKey = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const clientKey = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, comment: 'embedded-server' });
  const running = new Set<number>();
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    serveClient(client, { options, user, clientKey: parseKey(clientKey.public), running });
  });
  const tcp = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  const port = await listen(tcp, options.port ?? 0);
  const hostKeyLine = `[127.0.0.1]:${port} ${hostKey.public.split(' ').slice(0, 2).join(' ')}`;
  const client = await writeClient(hostKeyLine, clientKey.private);
  options.log?.(`listening on 127.0.0.1:${port}`);

  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => tcp.close(resolve));
    for (const group of running) endGroup(group);
    await rm(client.clientEnvironment.HOME, { recursive: true, force: true });
  };
  let stopping: Promise<void> | undefined;
  return {
    host: '127.0.0.1',
    port,
    user,
    entry: `${user}@127.0.0.1:${port}`,
    hostKeyLine,
    ...client,
    stop: () => (stopping ??= stop()),
  };
}

interface Service {
  readonly options: EmbeddedServerOptions;
  readonly user: string;
  readonly clientKey: ParsedKey;
  /** Process groups that may still have members. */
  readonly running: Set<number>;
}

function serveClient(client: Connection, service: Service): void {
  const { log } = service.options;
  client.on('error', (error) => log?.(`connection failed: ${error.message}`));
  client.on('authentication', (context) => authenticate(context, service));
  client.on('ready', () => {
    log?.(`${service.user} logged in`);
    client.on('session', (accept) => serveSession(accept(), service));
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const target = connect({ host: destIP, port: destPort, noDelay: true });
      target.once('error', () => reject());
      target.once('connect', () => {
        target.removeAllListeners('error').on('error', () => undefined);
        const channel = accept();
        channel.on('error', () => undefined).once('close', () => target.destroy());
        channel.pipe(target).pipe(channel);
      });
    });
  });
}

function authenticate(context: AuthContext, { options, user, clientKey }: Service): void {
  const { password, oneTimeCode } = options;
  const offered: AuthContext['method'][] = [
    'publickey',
    ...(password === undefined ? [] : (['password'] as const)),
    ...(oneTimeCode === undefined ? [] : (['keyboard-interactive'] as const)),
  ];
  const reject = (): void => context.reject(offered as Parameters<AuthContext['reject']>[0]);
  if (context.username !== user) {
    reject();
  } else if (context.method === 'publickey') {
    const same = context.key.algo === clientKey.type && sameText(context.key.data, clientKey.getPublicSSH());
    const { blob, signature, hashAlgo } = context;
    const proven = !blob || !signature || clientKey.verify(blob, signature, hashAlgo) === true;
    if (same && proven) context.accept();
    else reject();
  } else if (context.method === 'password' && password !== undefined) {
    if (sameText(Buffer.from(context.password), Buffer.from(password))) context.accept();
    else reject();
  } else if (context.method === 'keyboard-interactive' && oneTimeCode !== undefined) {
    context.prompt([{ prompt: 'Verification code: ', echo: false }], '', '', (answers) => {
      if (sameText(Buffer.from(answers[0] ?? ''), Buffer.from(oneTimeCode))) context.accept();
      else reject();
    });
  } else reject();
}

function serveSession(session: Session, service: Service): void {
  // Accepted and ended: ssh2 leaves the channel of a rejected request open for ever.
  session.on('subsystem', (accept) => {
    const channel = accept();
    channel.on('error', () => undefined);
    channel.exit(127);
    channel.end();
  });
  session.on('exec', (accept, _reject, { command }) => runCommand(accept(), command, service));
}

/** As sshd: a session of its own; the status when the shell has ended, the channel's end when all of its output has. */
function runCommand(channel: ServerChannel, command: string, { options, user, running }: Service): void {
  const { root, environment, log } = options;
  log?.(`runs ${command}`);
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: root,
    detached: true,
    env: {
      PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
      LANG: process.env['LANG'] ?? 'C.UTF-8',
      ...environment,
      HOME: root,
      USER: user,
      LOGNAME: user,
      SHELL: '/bin/sh',
    },
  });
  const group = child.pid;
  if (group !== undefined) running.add(group);
  connectStreams(channel, child);
  child.once('error', (error) => {
    channel.stderr.write(`${error.message}\n`);
    channel.exit(127);
    channel.end();
  });
  child.once('exit', (status, signal) => {
    if (group !== undefined && !groupLives(group)) running.delete(group);
    if (signal !== null) channel.exit(signal.replace(/^SIG/, ''), false, '');
    else channel.exit(status ?? 255);
  });
  child.once('close', () => channel.end());
  // Whoever leaves does not end what they started; it only has no reader any more.
  channel.once('close', () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  });
}

function connectStreams(channel: ServerChannel, child: ChildProcessWithoutNullStreams): void {
  channel.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Ended by itself.
  }
}

async function writeClient(
  hostKeyLine: string,
  privateKey: string,
): Promise<Pick<EmbeddedServer, 'clientKeyPath' | 'knownHostsPath' | 'sshConfigPath' | 'clientEnvironment'>> {
  const home = await mkdtemp(join(tmpdir(), 'durant-embedded-'));
  const folder = join(home, '.ssh');
  await mkdir(folder, { mode: 0o700 });
  const clientKeyPath = join(folder, 'id_ed25519');
  const knownHostsPath = join(folder, 'known_hosts');
  const sshConfigPath = join(folder, 'config');
  await writeFile(clientKeyPath, privateKey, { mode: 0o600 });
  await writeFile(knownHostsPath, `${hostKeyLine}\n`);
  const lines = [
    'Host *',
    `  IdentityFile ${clientKeyPath}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${knownHostsPath}`,
    '  GlobalKnownHostsFile /dev/null',
  ];
  await writeFile(sshConfigPath, `${lines.join('\n')}\n`);
  let path = process.env['PATH'] ?? '';
  const ssh = findProgram('ssh', path);
  if (ssh !== undefined) {
    const bin = join(home, 'bin');
    await mkdir(bin);
    const wrapper = `#!/bin/sh\nexec ${quote(ssh)} -F ${quote(sshConfigPath)} "$@"\n`;
    await writeFile(join(bin, 'ssh'), wrapper, { mode: 0o755 });
    path = `${bin}${delimiter}${path}`;
  }
  return { clientKeyPath, knownHostsPath, sshConfigPath, clientEnvironment: { HOME: home, PATH: path } };
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, files.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function listen(server: TcpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no port.'));
      else resolve(address.port);
    });
  });
}

function parseKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

function sameText(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
