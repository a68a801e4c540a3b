/**
 * The guard of a run's lock: while a run holds the lock of a server, every script that it sends there first notes its process group and
 * checks, in that same script, that the lock still names the run. In this order: whoever takes the lock over replaces it before it ends
 * what was noted, so a script has either been noted or finds the lock gone.
 */
import { DurantError } from '../../errors.ts';
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Connection, RemoteResult } from '../../remote/target.ts';
import { guardFunctions } from '../server/lockScripts.ts';
import type { GuardedConnection, Run, ServerRun } from './run.ts';

const LOST_STATUS = 79;
const LOST_MARK = 'durant-lock-lost:';

/**
 * Puts the guard in front of every script of a connection. Where the lock was lost, `exec` rejects with `lock-lost`, the server's `ownLock`
 * tells so from then on, and its facts have what `current` points at.
 */
export function guarded(
  run: Pick<Run, 'id' | 'settings' | 'strategy'>,
  connection: Connection,
  serverOf: () => ServerRun,
): GuardedConnection {
  const { posixRename } = connection;
  const assertNotLost = (): void => {
    const { ownLock } = serverOf();
    if (ownLock.state === 'lost') throw ownLock.error;
  };
  return {
    guards: 'lock',
    address: connection.address,
    description: connection.description,
    user: connection.user,
    async exec(command) {
      assertNotLost();
      const server = serverOf();
      if (server.ownLock.state !== 'held') return connection.exec(command);
      const { onOutput } = command;
      const result = await connection.exec({
        ...command,
        script: `${guardScript(run, server)}\n${command.script}`,
        ...(onOutput === undefined
          ? {}
          : {
              onOutput: (stream, chunk) => {
                if (!chunk.toString('latin1').startsWith(LOST_MARK)) onOutput(stream, chunk);
              },
            }),
      });
      const link = lostLink(result);
      if (link === undefined) return result;
      throw lose(run, server, link);
    },
    ...(connection.login && { login: connection.login }),
    forward: (host, port) => connection.forward(host, port),
    posixRename:
      posixRename === undefined
        ? undefined
        : async (from, to) => {
            assertNotLost();
            await posixRename(from, to);
          },
    close: () => connection.close(),
  };
}

/** The release that the text of a `current` link names; null for none, and for a link that leads elsewhere. */
export function releaseOfLink(link: string): string | null {
  return /(?:^|\/)releases\/([^/]+)$/.exec(link)?.[1] ?? null;
}

const guard = shellFile(import.meta.url, './guard.sh');

function guardScript(run: Pick<Run, 'id' | 'settings'>, { facts, lostLines }: ServerRun): string {
  const about = parameters(
    { run: run.id, lost_lines: lostLines, current: run.settings.current_path, mark: LOST_MARK },
    { project: facts.project },
  );
  return `(\n${about}${guardFunctions}${guard}) </dev/null 3>&2 2>/dev/null || exit ${LOST_STATUS}`;
}

/** What `current` is as text where the guard stopped the script; undefined where it did not. */
function lostLink({ status, stderr }: RemoteResult): string | undefined {
  if (status !== LOST_STATUS) return undefined;
  const text = stderr.toString('utf8');
  const at = text.lastIndexOf(LOST_MARK);
  return at < 0 ? undefined : text.slice(at + LOST_MARK.length).replace(/\n$/, '');
}

function lose(run: Pick<Run, 'settings' | 'strategy'>, server: ServerRun, link: string): DurantError {
  const { entry } = server.address;
  const now =
    link === ''
      ? `has no ${run.settings.current_path} now`
      : `has ${run.settings.current_path} at ${link} now`;
  const error = new DurantError(
    'lock-lost',
    `The lock on ${entry} is no longer this run's: someone unlocked the stage. ${entry} ${now}, and this run changes nothing more there.`,
    { remedy: 'See how it stands, then deploy again', command: 'durant status', server: entry },
  );
  server.ownLock = { state: 'lost', error };
  server.deferred = [];
  server.facts = {
    ...server.facts,
    currentTarget: link === '' ? undefined : link,
    live: run.strategy.layout.hasReleases ? releaseOfLink(link) : server.facts.live,
  };
  return error;
}
