/** `symlink`: the switch. One atomic rename of a link, only while the lock is still this run's. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { unwatch, watchSwitch } from '../deadMan.ts';
import { lockIsOurs } from '../lock.ts';
import {
  forgetOtherPendingRollback,
  forgetPendingRollback,
  notePendingRollback,
} from '../pendingRollback.ts';
import type { Run, ServerRun } from '../run.ts';
import { defer, runScript } from '../script.ts';
import type { Step } from './goal.ts';
import { restoreServices } from './services.ts';

export const symlink: Step = {
  name: 'symlink',
  hookedEarly: true,
  async achieved({ run, server }) {
    // Made live by a run that died: to be confirmed by this one.
    return server.facts.live === run.release && server.previous === undefined;
  },
  async reason({ run, server }) {
    if (server.facts.live === run.release) return `${run.settings.current_path} already points at it`;
    return server.facts.live === null
      ? 'nothing is live yet'
      : `${run.settings.current_path} points at ${server.facts.live}`;
  },
  async achieve({ run, server, signal }) {
    await switchTo(run, server, run.release ?? '', signal);
  },
};

/**
 * Points `current` at a release and notes what it pointed at before.
 * @throws {DurantError} `lock-lost` where the lock is no longer this run's; nothing is switched then.
 */
export async function switchTo(
  run: Run,
  server: ServerRun,
  release: string,
  signal: AbortSignal,
): Promise<void> {
  const { previous } = server;
  // Noted before the attempt: when the line dies under it, the switch may have happened.
  if (previous === undefined) server.previous = server.facts.live;
  if (run.action === 'rollback')
    defer(
      server,
      `if ${lockIsOurs(run.id)}; then\n${notePendingRollback({ release, left: server.previous ?? '' })}\nfi`,
    );
  watchSwitch(run, server, {
    link: linkTo(run, release),
    linkBefore: previous === undefined ? server.facts.currentTarget : linkOrNone(run, previous),
  });
  try {
    await flip(run, server, release, signal);
  } catch (error) {
    if (error instanceof DurantError && error.code === 'lock-lost') {
      // Somebody else works there now: nothing of it is this run's to undo.
      server.previous = previous;
      server.locked = false;
    }
    throw error;
  }
}

/** Points `current` back at what it pointed at before this run (removes it where there was nothing), and puts its services back. */
export async function switchBack(run: Run, server: ServerRun, signal: AbortSignal): Promise<void> {
  if (server.previous === undefined) return;
  unwatch(run, server);
  if (server.previous !== null) {
    await flip(run, server, server.previous, signal);
    defer(server, forgetOtherPendingRollback(server.previous));
    await restoreServices(run, server, signal);
    return;
  }
  await runScript(
    run,
    server,
    `if [ -L ${quote(run.settings.current_path)} ]; then rm -f ${quote(run.settings.current_path)}; fi`,
    { signal },
  );
  server.facts = { ...server.facts, live: null };
  defer(server, forgetPendingRollback);
  await restoreServices(run, server, signal);
}

function linkOrNone(run: Run, release: string | null): string | undefined {
  return release === null ? undefined : linkTo(run, release);
}

/** The text of the link to a release. */
function linkTo({ settings }: Run, release: string): string {
  return `${'../'.repeat(settings.current_path.split('/').length - 1)}releases/${release}`;
}

async function flip(run: Run, server: ServerRun, release: string, signal: AbortSignal): Promise<void> {
  const current = run.settings.current_path;
  const depth = current.split('/').length - 1;
  const target = linkTo(run, release);
  const temporary = `.durant/current.${run.id}`;
  const { posixRename } = server.connection;
  const method = server.facts.switchBy;
  const move = method === undefined ? ':' : `${method} -f ${temporary} ${quote(current)}`;
  const result = await runScript(
    run,
    server,
    `if ! ${lockIsOurs(run.id)}; then echo lost; exit 0; fi
[ -d ${quote(`releases/${release}`)} ] || { echo "releases/${release} is gone" >&2; exit 1; }
${depth === 0 ? '' : `mkdir -p ${quote(current.slice(0, current.lastIndexOf('/')))} || exit 1\n`}rm -f ${temporary} && ln -s ${quote(target)} ${temporary} && ${move} && echo switched`,
    { signal },
  );
  if (result.stdout.toString('utf8').trim() !== 'switched')
    throw new DurantError(
      'lock-lost',
      `The lock on ${server.address.entry} is no longer this run's: someone unlocked the stage. Nothing was switched there; see durant status.`,
      {
        server: server.address.entry,
      },
    );
  if (method === undefined && posixRename !== undefined)
    await posixRename(`${server.facts.project}/${temporary}`, `${server.facts.project}/${current}`);
  server.facts = { ...server.facts, live: release };
}
