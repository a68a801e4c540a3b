/** This machine as a target: the same scripts, run by its own `sh` without SSH. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { constants, homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { localShell, platform } from '../platform.ts';
import { DurantError, throwIfCancelled } from '../errors.ts';
import { bootstrapCommand, killScript, type ProcessGroup } from './bootstrap.ts';
import { closedConnection, runScript, type ChannelEnd, type ScriptChannel } from './scriptRun.ts';
import type { Connection, ConnectRequest, RemoteCommand, RemoteResult } from './target.ts';

/** "Connects" to this machine. Scripts start in the home folder, as they do on a server. */
export async function connectLocal(request: Pick<ConnectRequest, 'address' | 'signal'>): Promise<Connection> {
  throwIfCancelled(request.signal);
  const { entry } = request.address;
  const open = new Set<LocalChannel>();
  let closed = false;

  const exec = async (command: RemoteCommand): Promise<RemoteResult> => {
    if (closed) throw closedConnection(entry);
    return runScript(startShell(open, entry), command, { server: entry, endGroup: endLocalGroup });
  };
  return {
    address: request.address,
    description: 'local',
    user: userInfo().username,
    exec,
    forward: (host, port) =>
      closed ? Promise.reject(closedConnection(entry)) : openSocket(entry, host, port),
    posixRename: (from, to) => rename(expandHome(from), expandHome(to)),
    close: () => {
      closed = true;
      for (const channel of open) channel.drop();
    },
  };
}

interface LocalChannel extends ScriptChannel {
  /** Ends the script's group and fails its run: the connection is closed. */
  drop(): void;
}

function startShell(open: Set<LocalChannel>, entry: string): ScriptChannel {
  const home = homedir();
  const env = { ...process.env };
  delete env['ELECTRON_RUN_AS_NODE'];
  // Detached: a session and process group of its own, as under sshd, so that ending the group spares Durant.
  const child = spawn(localShell(platform, env, existsSync), ['-c', bootstrapCommand], {
    cwd: existsSync(home) ? home : '/',
    env,
    detached: true,
    windowsHide: true,
  });
  let drop: () => void = () => undefined;
  const ended = new Promise<ChannelEnd>((resolve, reject) => {
    drop = () => {
      reject(closedConnection(entry));
      if (child.pid !== undefined && platform.hasProcessGroups) process.kill(-child.pid, 'SIGTERM');
    };
    child.once('error', (error) => {
      reject(
        new DurantError('local-tool-missing', `This machine's sh could not be started (${error.message}).`, {
          remedy: 'Put a POSIX sh on the PATH; Git for Windows has one.',
          server: entry,
          cause: error,
        }),
      );
    });
    child.once('exit', (status, signal) => {
      if (signal === null) resolve({ status: status ?? undefined, signalled: false });
      else resolve({ status: 128 + constants.signals[signal], signalled: true });
    });
  });
  const close = (): void => {
    open.delete(channel);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  };
  const channel = { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close, drop };
  open.add(channel);
  const forget = (): void => void open.delete(channel);
  ended.then(forget, forget);
  return channel;
}

function endLocalGroup(group: ProcessGroup): Promise<void> {
  return new Promise((resolve) => {
    const killer = spawn(localShell(platform, process.env, existsSync), ['-s'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    killer.once('error', () => resolve());
    killer.once('exit', () => resolve());
    killer.stdin.on('error', () => undefined);
    killer.stdin.end(killScript(group));
  });
}

function openSocket(entry: string, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port });
    const onError = (error: Error): void => {
      reject(
        new DurantError('host-unreachable', `This machine could not connect to ${host}:${port}.`, {
          remedy: 'Check that something listens there.',
          server: entry,
          cause: error,
        }),
      );
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
