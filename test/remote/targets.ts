/** The ways to a target that the suites of this folder run over: each client, on a server with each kind of tools. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer } from '../../scripts/embedded-server.ts';
import { createConnect } from '../../src/remote/connect.ts';
import { connectLocal } from '../../src/remote/local.ts';
import { connectOpenssh, connectOpensshSharing } from '../../src/remote/openssh/client.ts';
import type { Connect, Connection, ConnectRequest } from '../../src/remote/target.ts';
import { cliBundle } from '../support/cli.ts';
import { waitFor } from '../support/wait.ts';
import { processesWithEnvironment, type FoundProcess } from '../support/processes.ts';
import { startSshd, type SshdOptions, type TestServer } from '../support/sshd.ts';

/** A running target. */
export interface Target {
  connect(changes?: Partial<ConnectRequest>): Promise<Connection>;
  /** Undefined for this machine itself. */
  readonly server: TestServer | undefined;
  /** The user whom connections log in as. */
  readonly user: string;
  /** What scripts left running. */
  processes(): Promise<readonly FoundProcess[]>;
  stop(): Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  readonly client: 'local' | 'ssh2' | 'openssh' | 'openssh, separate connections' | 'kept';
  /** What a script's status is when its outermost shell is killed: ssh does not tell the signal. */
  readonly killedStatus: number;
  /** Whether renaming over SFTP is offered. */
  readonly sftp: boolean;
  start(options?: SshdOptions): Promise<Target>;
}

const clients: readonly { readonly client: TargetKind['client']; readonly connect: Connect }[] = [
  { client: 'ssh2', connect: (request) => createConnect()({ ...request, client: 'ssh2' }) },
  { client: 'openssh', connect: connectOpenssh },
  {
    client: 'openssh, separate connections',
    connect: (request) => connectOpensshSharing(request, 'separate'),
  },
];

/** All of them. */
export const targetKinds: readonly TargetKind[] = [
  { name: 'local', client: 'local', killedStatus: 137, sftp: true, start: startLocalTarget },
  ...clients.flatMap(({ client, connect }) =>
    toolsFor(client).map((tools) => ({
      name: `${client} to a server with ${tools} tools`,
      client,
      killedStatus: client === 'ssh2' ? 137 : 255,
      sftp: true,
      start: (options?: SshdOptions) => startServerTarget(connect, { tools, ...options }),
    })),
  ),
  {
    name: 'a kept connection to a server with system tools',
    client: 'kept',
    killedStatus: 137,
    sftp: true,
    start: startKeptTarget,
  },
  ...clients.slice(0, 2).map(({ client, connect }) => ({
    name: `${client} to the embedded server`,
    client,
    killedStatus: client === 'ssh2' ? 137 : 255,
    sftp: false,
    start: () => startEmbeddedTarget(connect),
  })),
];

function toolsFor(client: TargetKind['client']): readonly ('system' | 'busybox')[] {
  return client === 'openssh, separate connections' ? ['system'] : ['system', 'busybox'];
}

/** A request to connect to a test server, which answers no questions. */
export function requestFor(
  server: Pick<TestServer, 'entry' | 'host' | 'user' | 'port' | 'sshPath'>,
  changes: Partial<ConnectRequest> = {},
): ConnectRequest {
  return {
    address: {
      entry: server.entry,
      host: server.host,
      user: server.user,
      port: server.port,
      local: false,
      roles: [],
    },
    user: undefined,
    port: undefined,
    identity: undefined,
    client: 'auto',
    hostKeyChecking: 'strict',
    mayAddHostKeys: false,
    connectTimeoutMs: 10_000,
    prompt: () => Promise.resolve(undefined),
    signal: new AbortController().signal,
    sshPath: server.sshPath,
    ...changes,
  };
}

/** A server that is reached through a process which keeps the connection. */
async function startKeptTarget(options: SshdOptions = {}): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'));
  const keptBy = (program: readonly string[], request: ConnectRequest) =>
    createConnect({ keeping: { folder, program } })({ ...request, keepMs: 20_000 });
  const connect: Connect = async (request) => {
    const first = await keptBy([process.execPath, cliBundle()], request);
    if (first.description.endsWith(', kept')) return first;
    first.close();
    return waitFor('a kept connection', async () => {
      const connection = await keptBy(['true'], request);
      if (connection.description.endsWith(', kept')) return connection;
      connection.close();
      return undefined;
    });
  };
  const target = await startServerTarget(connect, options);
  return {
    ...target,
    stop: async () => {
      await target.stop();
      await waitFor('the holder to end', () => readdirSync(folder).length === 0);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startServerTarget(connect: Connect, options: SshdOptions): Promise<Target> {
  const server = await startSshd(options);
  const connections: Connection[] = [];
  return {
    server,
    user: server.user,
    connect: async (changes) => {
      const connection = await connect(requestFor(server, changes));
      connections.push(connection);
      return connection;
    },
    processes: async () => withoutWaitingShells(await server.processes()),
    stop: async () => {
      for (const connection of connections) connection.close();
      await server.stop();
    },
  };
}

/** The shells that ssh2 keeps ready run nothing yet: they have neither a child nor such a shell above them. */
function withoutWaitingShells(processes: readonly FoundProcess[]): FoundProcess[] {
  const isShell = (found: FoundProcess) => found.command.includes('read -r n b c');
  return processes.filter(
    (found) =>
      !isShell(found) ||
      processes.some((other) => other.parent === found.pid || (other.pid === found.parent && isShell(other))),
  );
}

async function startEmbeddedTarget(connect: Connect): Promise<Target> {
  const root = mkdtempSync(join(tmpdir(), 'embedded-root-'));
  const mark = randomBytes(8).toString('hex');
  const server = await startEmbeddedServer({ root, environment: { DURANT_TEST_EMBEDDED: mark } });
  const sshPath = join(server.clientEnvironment.HOME, 'bin', 'ssh');
  const connections: Connection[] = [];
  return {
    server: undefined,
    user: server.user,
    connect: async (changes) => {
      const connection = await connect(requestFor({ ...server, sshPath }, changes));
      connections.push(connection);
      return connection;
    },
    processes: async () => withoutWaitingShells(await processesWithEnvironment('DURANT_TEST_EMBEDDED', mark)),
    stop: async () => {
      for (const connection of connections) connection.close();
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function startLocalTarget(): Promise<Target> {
  const mark = randomBytes(8).toString('hex');
  const connections: Connection[] = [];
  const address = { entry: 'local', host: 'local', user: undefined, port: undefined, local: true, roles: [] };
  const connect = async (changes?: Partial<ConnectRequest>) => {
    const signal = changes?.signal ?? new AbortController().signal;
    const connection = marked(mark, await connectLocal({ address, signal }));
    connections.push(connection);
    return connection;
  };
  return Promise.resolve({
    server: undefined,
    user: userInfo().username,
    connect,
    processes: () => processesWithEnvironment('DURANT_TEST_LOCAL', mark),
    stop: () => {
      for (const connection of connections) connection.close();
      return Promise.resolve();
    },
  });
}

/** Scripts on this machine inherit our environment: they are told from others by a variable that is set while they start. */
function marked(mark: string, connection: Connection): Connection {
  return {
    ...connection,
    exec: (command) => {
      const outer = process.env['DURANT_TEST_LOCAL'];
      process.env['DURANT_TEST_LOCAL'] = mark;
      const running = connection.exec(command);
      if (outer === undefined) delete process.env['DURANT_TEST_LOCAL'];
      else process.env['DURANT_TEST_LOCAL'] = outer;
      return running;
    },
  };
}
