/** Files of a release that one server sends to another, by the `ssh` and `tar` that it has, and with an agent that stays on this machine. */
import { Readable } from 'node:stream';
import { asDurantError, throwIfCancelled } from '../../errors.ts';
import { parameters, quote, scratchFolder } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Connection, Login } from '../../remote/target.ts';
import { escapePath } from '../tree/manifest.ts';
import type { TreeEntry } from '../tree/scan.ts';
import { pathFunctions } from './serverFunctions.ts';

export interface HandOnRequest {
  /** To the server that has the files; an agent that signs for the login is forwarded to it. */
  readonly connection: Connection;
  /** Absolute folder of the files there. */
  readonly folder: string;
  readonly entries: readonly TreeEntry[];
  readonly to: Login;
  /** Absolute folder of the other server, which exists. */
  readonly destination: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** Why nothing was handed on, and whether that server cannot hand on to anybody. */
export interface NotHandedOn {
  readonly why: string;
  readonly isSender: boolean;
}

const script = shellFile(import.meta.url, './handOn.sh');

/** Its exit statuses. */
const failures: Readonly<Record<number, string>> = {
  71: 'its sshd forwards no agent (AllowAgentForwarding)',
  72: 'it has no ssh',
  73: 'its tar cannot read a list of names',
};

/**
 * Sends the files. What arrives is checked by nobody here.
 * @returns undefined where all were sent. @throws {DurantError} `cancelled`.
 */
export async function handOn(request: HandOnRequest): Promise<NotHandedOn | undefined> {
  const { connection, entries, signal, timeoutMs } = request;
  // It stays open: its end is how the server learns that nobody waits for it any more.
  const input = new Readable({ read: () => undefined });
  input.push(Buffer.from(`${entries.map(({ path }) => `${escapePath(path)}\n`).join('')}\n`, 'latin1'));
  try {
    const { status, stderr } = await connection.exec({
      script: handOnScript(request),
      input,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    if (status === 0) return undefined;
    const said = stderr.toString('utf8').trim().split(/\r?\n/).at(-1) ?? '';
    if (said.includes('Bad configuration option'))
      return { why: 'its ssh is older than OpenSSH 8.9', isSender: true };
    const known = failures[status];
    return known === undefined
      ? {
          why: said === '' ? `ssh ended with status ${status} there` : `ssh said there: ${said}`,
          isSender: false,
        }
      : { why: known, isSender: true };
  } catch (error) {
    throwIfCancelled(signal);
    return { why: asDurantError(error).summary, isSender: true };
  } finally {
    input.destroy();
  }
}

export function handOnScript({
  folder,
  to,
  destination,
}: Pick<HandOnRequest, 'folder' | 'to' | 'destination'>): string {
  const { host, port, user, hostKey } = to;
  const unpack = `umask 022; cd ${quote(destination)} || exit 1; command -v tar >/dev/null 2>&1 && exec tar -xpof -; exec bsdtar -xpof -`;
  return [
    'LC_ALL=C; export LC_ALL',
    parameters({
      folder,
      host,
      port,
      user,
      known: `${hostKey.type} ${hostKey.blob.toString('base64')}`,
      algorithms: hostKey.type === 'ssh-rsa' ? 'rsa-sha2-512,rsa-sha2-256' : hostKey.type,
      unpack: `exec sh -c ${quote(unpack)}`,
    }),
    pathFunctions,
    `${scratchFolder('W')} || exit 1`,
    script,
  ].join('\n');
}
