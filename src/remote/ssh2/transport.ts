/** The byte stream that an SSH connection runs over: TCP, or the standard streams of a ProxyCommand. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { platform } from '../../platform.ts';
import { DurantError, reasonOf } from '../../errors.ts';
import { expandProxyCommand, type SshSettings } from '../settingsText.ts';

/** How long a ProxyCommand whose output has ended may take to end itself. */
const lastWordsMs = 500;

export interface Transport {
  readonly stream: Duplex;
  /** Resolves when bytes may be sent; rejects with `host-unreachable`. */
  readonly ready: Promise<void>;
  /** Once it has ended: why, where more is known than that it did. A ProxyCommand says so on its standard error. */
  reason(): Promise<string | undefined>;
  /** Ends it without waiting, a ProxyCommand with everything that it started. */
  close(): void;
}

/** TCP to the settings' address; both address families are tried where it has both. */
export function openTcp(settings: SshSettings, server: string): Transport {
  const { hostname, port } = settings;
  const socket = connect({
    host: hostname,
    port,
    noDelay: true,
    autoSelectFamily: settings.addressFamily === 'any',
    ...(settings.addressFamily === 'inet' ? { family: 4 } : {}),
    ...(settings.addressFamily === 'inet6' ? { family: 6 } : {}),
    ...(settings.bindAddress === undefined ? {} : { localAddress: settings.bindAddress }),
  });
  // Also heard before and after ssh2 listens.
  socket.on('error', () => undefined);
  const ready = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => {
      reject(unreachable(server, `${hostname}:${port}`, error));
    });
  });
  ready.catch(() => undefined);
  return {
    stream: socket,
    ready,
    reason: () => Promise.resolve(undefined),
    close: () => {
      socket.destroy();
    },
  };
}

/** The stream, which from now on passes on together what is written at once: ssh2 writes each packet in three pieces. */
export function writtenTogether(stream: Duplex): Duplex {
  const write = stream.write.bind(stream) as (...parameters: unknown[]) => boolean;
  let waits = false;
  stream.write = (...parameters: unknown[]) => {
    if (!waits) {
      waits = true;
      stream.cork();
      process.nextTick(() => {
        waits = false;
        stream.uncork();
      });
    }
    return write(...parameters);
  };
  return stream;
}

/** Starts the ProxyCommand in a process group of its own; undefined where none is configured. */
export function openProxyCommand(settings: SshSettings, server: string): Transport | undefined {
  const command = expandProxyCommand(settings);
  if (command === undefined) return undefined;
  const child = platform.sshUsesShell
    ? spawn(platform.shell, ['-c', `exec ${command}`], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    : spawn(command, { shell: true, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  child.stdin.on('error', () => undefined);
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on('error', () => undefined);
  const ready = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(unreachable(server, 'the ProxyCommand', error));
    });
  });
  ready.catch(() => undefined);
  const finished = new Promise<void>((resolve) => {
    child.once('close', resolve).once('error', () => {
      resolve();
    });
  });
  void finished.then(() => stream.destroy());
  return {
    stream,
    ready,
    reason: async () => {
      await Promise.race([finished, pause(lastWordsMs, undefined, { ref: false })]);
      return said.trim().split('\n').at(-1) || undefined;
    },
    close: () => {
      stream.destroy();
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      try {
        if (!platform.hasProcessGroups)
          spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' });
        else process.kill(-child.pid, 'SIGTERM');
      } catch {
        // Gone in between.
      }
    },
  };
}

/** The sentence for an address that cannot be reached. */
export function unreachable(server: string, address: string, error: unknown): DurantError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [what, remedy] = explain(code, error);
  return new DurantError('host-unreachable', `${server} cannot be reached: ${address} ${what}.`, {
    remedy,
    server,
    cause: error,
  });
}

function explain(code: string, error: unknown): readonly [string, string] {
  const network = 'Check the address, the network and any VPN.';
  switch (code) {
    case 'ECONNREFUSED':
      return ['refused the connection', 'Check the port, and that sshd runs there.'];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NONAME':
      return ['is not a known host name', 'Check its spelling, the DNS and the network.'];
    case 'ETIMEDOUT':
      return ['did not answer', network];
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ['has no route to it', network];
    case 'ECONNRESET':
      return ['ended the connection at once', 'Check that sshd listens there and lets this machine in.'];
    default:
      return [`failed (${reasonOf(error)})`, network];
  }
}
