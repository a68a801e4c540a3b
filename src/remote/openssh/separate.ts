/**
 * An `ssh` with a connection of its own for each command: for Windows, whose OpenSSH cannot share one, and for ending what hangs where
 * the server has no session left.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelEnd, ScriptChannel } from '../scriptRun.ts';
import type { ConnectRequest } from '../target.ts';
import { connectionArguments, separateArguments, type Destination } from './arguments.ts';
import type { Askpass } from './askpass.ts';
import { connectFailure, lostConnection } from './failures.ts';
import { startFailure, unanswered } from './master.ts';
import { startSsh } from './process.ts';

export interface SeparateContext {
  readonly request: ConnectRequest;
  readonly to: Destination;
  readonly askpass: Askpass;
  readonly knownHosts: readonly string[] | undefined;
  /** Private folder for the logs that tell why a connection failed. */
  readonly directory: string;
}

/** Starts it. `rest` is what follows the host's options: `--`, host and command, or `-W …`. */
export function startSeparate(context: SeparateContext, rest: readonly string[]): ScriptChannel {
  const { request, to, askpass, knownHosts, directory } = context;
  const { entry } = request.address;
  const conversation = askpass.converse();
  const logFile = join(directory, `log-${randomBytes(6).toString('hex')}`);
  const child = startSsh(
    request.sshPath ?? 'ssh',
    [...separateArguments(logFile), ...connectionArguments(request, knownHosts), ...to.arguments, ...rest],
    conversation.env,
  );
  const ended = new Promise<ChannelEnd>((resolve, reject) => {
    child.once('error', (error) => reject(startFailure(entry, error.message)));
    child.once('exit', (status, signal) => {
      if (signal !== null) reject(lostConnection(entry, ''));
      else if (status !== 255) resolve({ status: status ?? undefined, signalled: false });
      else
        void readFile(logFile, 'utf8')
          .catch(() => '')
          .then((log) => {
            const authenticated = /^Authenticated to /m.test(log);
            if (!authenticated) reject(connectFailure(entry, log));
            else if (/closed by|Broken pipe|reset|not responding|disconnect/i.test(log))
              reject(lostConnection(entry, log));
            else resolve({ status, signalled: true });
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
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close };
}
