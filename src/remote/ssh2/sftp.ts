/** The one thing that is done over SFTP: renaming over what exists (`posix-rename@openssh.com`). Opened when first needed. */
import type { SFTPWrapper } from 'ssh2';
import { DurantError, reasonOf } from '../../errors.ts';
import type { ShellPool } from './channels.ts';
import type { SshSession } from './sessionRequest.ts';

/**
 * A rename that is atomic on the server. A leading `~/` stands for the login user's home.
 * @throws {DurantError} (from the returned function) `switch-unsupported` where the server has no SFTP or not this extension.
 */
export function createRename(
  session: SshSession,
  pool: ShellPool,
  server: string,
): (from: string, to: string) => Promise<void> {
  let opening: Promise<SFTPWrapper> | undefined;
  return async (from, to) => {
    opening ??= openSftp(session, pool, server);
    const sftp = await opening.catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    await new Promise<void>((resolve, reject) => {
      session.lost.catch(reject);
      const done = (error: Error | null | undefined): void => {
        if (error) reject(unsupported(server, error));
        else resolve();
      };
      try {
        sftp.ext_openssh_rename(inHome(from), inHome(to), done);
      } catch (error) {
        reject(unsupported(server, error));
      }
    });
  };
}

/** sftp-server starts in the home folder and knows no tilde. */
function inHome(path: string): string {
  return path.startsWith('~/') ? path.slice(2) : path;
}

async function openSftp(session: SshSession, pool: ShellPool, server: string): Promise<SFTPWrapper> {
  try {
    return await requestSftp(session);
  } catch (error) {
    // A waiting shell may hold the last place that MaxSessions allows.
    if (error instanceof DurantError || !(await pool.makeRoom())) throw unsupported(server, error);
    return requestSftp(session).catch((again: unknown) => {
      throw unsupported(server, again);
    });
  }
}

function requestSftp(session: SshSession): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    session.lost.catch(reject);
    session.client.sftp((error, sftp) => {
      if (error) reject(error);
      else resolve(sftp);
    });
  });
}

function unsupported(server: string, error: unknown): DurantError {
  if (error instanceof DurantError) return error;
  const reason = reasonOf(error);
  return new DurantError('switch-unsupported', `Renaming over SFTP on ${server} failed: ${reason}.`, {
    remedy: 'Give the server GNU or BSD mv, or an SFTP server with posix-rename@openssh.com.',
    server,
    cause: error,
  });
}
