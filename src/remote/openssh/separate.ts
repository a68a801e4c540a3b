/**
 * An `ssh` with a connection of its own for each command: for Windows, whose OpenSSH cannot share one, and for ending what hangs where
 * the server has no session left.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelEnd, ScriptChannel } from '../scriptRun.ts';
import type { ConnectRequest } from '../target.ts';
import { connectionArguments, separateArguments, type Destination, type HostKeyFiles } from './arguments.ts';
import type { Askpass } from './askpass.ts';
import { connectFailure, lostConnection } from './failures.ts';
import { startFailure, unanswered } from './master.ts';
import { startSsh } from './process.ts';

export interface SeparateContext {
  readonly request: ConnectRequest;
  readonly to: Destination;
  readonly askpass: Askpass;
  readonly hostKeys: HostKeyFiles;
  /** Private folder for the logs that tell why a connection failed. */
  readonly directory: string;
}

export interface SeparateChannel extends ScriptChannel {
  /** Lets go of it and fails what waits for its end: the connection was closed. */
  drop(): void;
}

/** Starts it. `rest` is what follows the host's options: `--`, host and command, or `-W …`. */
export function startSeparate(context: SeparateContext, rest: readonly string[]): SeparateChannel {
  const { request, to, askpass, hostKeys, directory } = context;
  const { entry } = request.address;
  const conversation = askpass.converse();
  const logFile = join(directory, `log-${randomBytes(6).toString('hex')}`);
  const child = startSsh(
    request.sshPath ?? 'ssh',
    [...separateArguments(logFile), ...connectionArguments(request, hostKeys), ...to.arguments, ...rest],
    conversation.env,
  );
  let fail: (error: Error) => void = () => undefined;
  const ended = new Promise<ChannelEnd>((resolve, reject) => {
    fail = reject;
    child.once('error', (error) => reject(startFailure(entry, error.message)));
    child.once('exit', (status, signal) => {
      if (signal !== null) reject(lostConnection(entry, ''));
      else if (status !== 255) resolve({ status: status ?? undefined, signalled: false });
      else
        void readFile(logFile, 'utf8')
          .catch(() => '')
          .then((log) => {
            if (!/^Authenticated to /m.test(log)) reject(connectFailure(entry, log));
            else if (log.includes('rtype exit-signal')) resolve({ status, signalled: true });
            else reject(lostConnection(entry, log));
          });
    });
    void conversation.refused.then((question) => {
      reject(unanswered(entry, question));
      child.kill('SIGTERM');
    });
  });
  ended.catch(() => undefined);
  const close = (): void => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    child.kill('SIGTERM');
  };
  const drop = (): void => {
    fail(lostConnection(entry, ''));
    close();
  };
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close, drop };
}
