/**
 * SSH servers of small machines, real ones: dropbear and tinysshd. They know replaced from /etc/passwd alone, so each runs in a mount
 * namespace with one of its own (root only: see `canHaveAccounts`).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { appendFile, chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/remote/shell.ts';
import { endProcesses, processesWithEnvironment, processTree, runEnvironment } from './processes.ts';
import { makeToolsPath, type ServerTools } from './serverTools.ts';
import { freePort, inNamespace, makeKey, mark, writeClient, type TestServer } from './sshd.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);

export interface SmallSshdOptions {
  readonly daemon: 'dropbear' | 'tinysshd';
  /** Whose tools are on the server's PATH. Default `system`. */
  readonly tools?: ServerTools;
  /** The login shell, as words; default `/bin/sh`. */
  readonly shell?: readonly string[];
}

/** Starts the server and waits until it listens. Needs root. */
export async function startSmallSshd(options: SmallSshdOptions): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'durant-sshd-'));
  await chmod(directory, 0o755);
  const home = join(directory, 'home');
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const id = randomBytes(8).toString('hex');
  const clientKey = join(directory, 'client_key');
  await makeKey(clientKey, 'ed25519', '');
  await copyFile(`${clientKey}.pub`, join(home, '.ssh', 'authorized_keys'));

  const path = makeToolsPath(directory, options.tools ?? 'system');
  const environment = { ...runEnvironment(), PATH: path, [mark]: id };
  const login = join(directory, 'login');
  await writeFile(
    login,
    [
      '#!/bin/sh',
      ...Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`),
      `exec ${(options.shell ?? ['/bin/sh']).map(quote).join(' ')} "$@"`,
      '',
    ].join('\n'),
    { mode: 0o755 },
  );
  const replaced = await writeAccount(directory, home, login);
  const { hostKey, publicKey } = await makeHostKey(options.daemon, directory);
  await writeFile(`${hostKey}.pub`, `${publicKey}\n`);

  const chunks: Buffer[] = [];
  const listen = options.daemon === 'dropbear' ? listenDropbear : listenTinysshd;
  const listening = await listen({ replaced, hostKey, log: (chunk) => chunks.push(chunk) });
  const { port } = listening;
  const user = userInfo().username;
  const client = await writeClient(directory, { port, user, hostKeys: [hostKey], clientKey });

  const onExit = (): void => {
    for (const child of listening.children()) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', onExit);
  const daemons = async () => {
    const trees = await Promise.all(
      listening.children().map(({ pid }) => (pid === undefined ? [] : processTree(pid))),
    );
    return trees.flat().filter((found) => found.command.includes(options.daemon));
  };
  const processes = () => processesWithEnvironment(mark, id);
  const stop = async (): Promise<void> => {
    process.off('exit', onExit);
    listening.close();
    await waitFor('the test server to end', async () => {
      const left = [...(await processes()), ...(await daemons())];
      endProcesses(left);
      return left.length === 0 && listening.children().length === 0;
    });
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  let stopping: Promise<void> | undefined;
  return {
    host: '127.0.0.1',
    port,
    user,
    entry: `${user}@127.0.0.1:${port}`,
    directory,
    home,
    clientKey,
    ...client,
    log: () => Buffer.concat(chunks).toString(),
    processes,
    daemons,
    stop: () => (stopping ??= stop()),
  };
}

/** Where the home is for the server: tinysshd admits nobody whose folder, or one above it, others may write into, as into /tmp. */
const homeThere = '/mnt';

/** What the server has in the place of the machine's own: replaced with this user's home and shell, the shells, the home. */
async function writeAccount(
  directory: string,
  home: string,
  login: string,
): Promise<Readonly<Record<string, string>>> {
  const passwd = join(directory, 'passwd');
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => {
    const fields = line.split(':');
    return fields[0] === userInfo().username ? [...fields.slice(0, 5), homeThere, login].join(':') : line;
  });
  await writeFile(passwd, lines.join('\n'));
  const shells = join(directory, 'shells');
  await copyFile('/etc/shells', shells);
  await appendFile(shells, `${login}\n`);
  return { '/etc/passwd': passwd, '/etc/shells': shells, [homeThere]: home };
}

async function makeHostKey(
  daemon: SmallSshdOptions['daemon'],
  directory: string,
): Promise<{ readonly hostKey: string; readonly publicKey: string }> {
  const hostKey = join(directory, 'host_ed25519_key');
  const [make, print] =
    daemon === 'dropbear'
      ? [
          ['dropbearkey', '-t', 'ed25519', '-f', hostKey],
          ['dropbearkey', '-y', '-f', hostKey],
        ]
      : [
          ['tinysshd-makekey', hostKey],
          ['tinysshd-printkey', hostKey],
        ];
  await run(make[0] ?? '', make.slice(1));
  const { stdout } = await run(print[0] ?? '', print.slice(1));
  const line = stdout.split('\n').find((each) => each.startsWith('ssh-ed25519 '));
  if (line === undefined) throw new Error(`${daemon} has no ed25519 key: ${stdout}`);
  return { hostKey, publicKey: line };
}

interface Setup {
  readonly replaced: Readonly<Record<string, string>>;
  readonly hostKey: string;
  log(chunk: Buffer): void;
}

interface Listening {
  readonly port: number;
  /** Its processes that have not ended. */
  children(): readonly ChildProcess[];
  close(): void;
}

async function listenDropbear({ replaced, hostKey, log }: Setup): Promise<Listening> {
  for (;;) {
    const port = await freePort();
    const command = ['dropbear', '-F', '-E', '-r', hostKey, '-p', `127.0.0.1:${port}`];
    const [program = '', ...args] = inNamespace(replaced, command);
    const daemon = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    daemon.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      log(chunk);
    });
    const isOver = () => daemon.exitCode !== null || daemon.signalCode !== null;
    const state = await waitFor('dropbear to listen', async () => {
      if (isOver() || text.includes('Failed listening')) return 'ended';
      return (await accepts(port)) ? 'listening' : undefined;
    });
    if (state === 'listening')
      return { port, children: () => (isOver() ? [] : [daemon]), close: () => daemon.kill('SIGKILL') };
    daemon.kill('SIGKILL');
    if (!text.includes('in use')) throw new Error(`dropbear did not start: ${text}`);
  }
}

/** tinysshd serves the one connection that it is given as standard input and output. */
async function listenTinysshd({ replaced, hostKey, log }: Setup): Promise<Listening> {
  const children = new Set<ChildProcess>();
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    const [program = '', ...args] = inNamespace(replaced, ['tinysshd', '-v', hostKey]);
    const child = spawn(program, args, { stdio: [socket, socket, 'pipe'] });
    children.add(child);
    child.stderr.on('data', log);
    child.once('close', () => children.delete(child));
    // The child has it now.
    child.once('spawn', () => socket.destroy());
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    children: () => [...children],
    close: () => {
      server.close();
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
