/** `symlink`: the switch. One atomic rename of a link, only while the lock is still this run's (guard.ts). */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { replaceLinkFunction } from '../server/linkSwitch.ts';
import { confirmsWithSwitch, isWatched, unwatch, watchSwitch } from '../run/deadManSwitch.ts';
import { finishedScripts } from '../run/finish.ts';
import { releaseOfLink } from '../run/guard.ts';
import {
  forgetOtherPendingRollback,
  forgetPendingRollback,
  notePendingRollback,
} from '../run/pendingRollback.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import { defer, runScript } from '../run/script.ts';
import type { Step, StepContext } from '../run/step.ts';
import { waveOf } from '../run/waves.ts';
import { switchUnsupported } from '../server/preflight.ts';
import { confirmScript } from '../server/watcherScript.ts';
import { recordOf, writeRecord } from './release.ts';
import { restoreServices } from './services.ts';

export const symlink: Step<NamedRun> = {
  name: 'symlink',
  hookedEarly: true,
  async look({ run, server }) {
    const { live } = server.facts;
    const { current_path } = run.settings;
    if (live === run.release)
      // With one before it, it was made live by a run that died: to be confirmed by this one.
      return { achieved: server.previous === undefined, reason: `${current_path} already points at it` };
    const wave = waveOf(run, server);
    const when = wave === undefined ? '' : `; wave ${wave.number} of ${wave.of}`;
    const before = live === null ? 'nothing is live yet' : `${current_path} points at ${live}`;
    return { achieved: false, reason: `${before}${when}` };
  },
  achieve: switchTo,
};

/**
 * Points `current` at the run's release and notes what it pointed at before.
 * @throws {DurantError} `lock-lost` where the lock is no longer this run's; nothing is switched then.
 */
async function switchTo({ run, server, signal }: StepContext<NamedRun>): Promise<void> {
  const { release } = run;
  const { previous, previousLink } = server;
  // Noted before the attempt: when the line dies under it, the switch may have happened.
  if (previous === undefined) {
    server.previous = server.facts.live;
    server.previousLink = server.facts.currentTarget;
  }
  if (run.wave !== undefined && run.wave.of > 1)
    defer(server, writeRecord(recordOf(run, server, 'prepared')));
  if (run.action === 'rollback') defer(server, notePendingRollback({ release, left: server.previous ?? '' }));
  watchSwitch(run, server, {
    link: linkTo(run, release),
    linkBefore: server.previousLink ?? linkOrNone(run, server.previous ?? null),
  });
  try {
    const link = linkTo(run, release);
    const atOnce = confirmsWithSwitch(run, server);
    const then = atOnce ? confirmation(run, server) : '';
    const said = await flip(run, server, { link, allowed: '*', then, signal });
    server.confirmed = atOnce;
    if (previous === undefined) {
      // Somebody may have changed it by hand since the run looked.
      const was = /^was=(.*)$/m.exec(said)?.[1] ?? '';
      const name = releaseOfLink(was);
      server.previousLink = was === '' ? undefined : was;
      if (was !== (server.facts.currentTarget ?? ''))
        server.previous = name !== null && server.facts.folders.has(name) ? name : null;
    }
    server.facts = { ...server.facts, live: release, currentTarget: link };
  } catch (error) {
    // Somebody else works there now: nothing of it is this run's to undo.
    if (server.ownLock.state === 'lost') Object.assign(server, { previous, previousLink });
    throw error;
  }
}

/**
 * Puts `current` back exactly as it was before this run (removes it where there was none), and its services. What somebody else has made
 * of it stays.
 * @throws {DurantError} `lock-lost`, `switched-elsewhere`.
 */
export async function switchBack(run: NamedRun, server: ServerRun, signal: AbortSignal): Promise<void> {
  const { previous } = server;
  if (previous === undefined) return;
  unwatch(run, server);
  const link = server.previousLink ?? linkOrNone(run, previous);
  const ours = [linkTo(run, run.release), server.facts.currentTarget ?? '', link ?? ''];
  const said = await flip(run, server, { link, allowed: ours.map(quote).join('|'), then: '', signal });
  const kept = /^kept=(.*)$/m.exec(said)?.[1];
  server.facts = {
    ...server.facts,
    live: kept === undefined ? previous : releaseOfLink(kept),
    currentTarget: kept === undefined ? link : kept,
  };
  if (kept !== undefined) {
    const { entry } = server.address;
    throw new DurantError(
      'switched-elsewhere',
      `${run.settings.current_path} on ${entry} ${kept === '' ? 'is gone' : `points at ${kept}`}: someone changed it while this run worked, so it was not switched back.`,
      {
        remedy: 'See how it stands, then deploy or roll back',
        command: `durant status ${run.request.stage}`,
        server: entry,
      },
    );
  }
  defer(server, previous === null ? forgetPendingRollback : forgetOtherPendingRollback(previous));
  await restoreServices(run, server, signal);
}

/** sh text that confirms the switch as the last of its script. */
function confirmation(run: NamedRun, server: ServerRun): string {
  const scripts = [
    ...(isWatched(run, server) ? [confirmScript(run.id)] : []),
    ...finishedScripts(run, server),
  ];
  return scripts.map((script) => `{\n${script}\n} || exit 1`).join('\n');
}

function linkOrNone(run: Run, release: string | null): string | undefined {
  return release === null ? undefined : linkTo(run, release);
}

/** The text of the link to a release. */
function linkTo({ settings }: Run, release: string): string {
  return `${'../'.repeat(settings.current_path.split('/').length - 1)}releases/${release}`;
}

/** @returns what the script said: `was=` what the link was, `kept=` the same where it is none of `allowed` and was left. */
async function flip(
  run: Run,
  server: ServerRun,
  {
    link,
    allowed,
    then,
    signal,
  }: {
    /** Text of the link; undefined: none. */
    readonly link: string | undefined;
    /** Pattern of `case`: what the link may be before. */
    readonly allowed: string;
    /** Script that runs after it; empty for none. */
    readonly then: string;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const path = run.settings.current_path;
  const current = quote(path);
  const temporary = `.durant/current.${run.id}`;
  const { posixRename } = server.connection;
  const method = server.facts.switchBy;
  const release = link === undefined ? null : releaseOfLink(link);
  const replace =
    link === undefined
      ? `rm -f ${current} || exit 1`
      : `${release === null ? '' : `[ -d ${quote(`releases/${release}`)} ] || { echo ${quote(`releases/${release} is gone`)} >&2; exit 1; }\n`}${path.includes('/') ? `mkdir -p ${quote(path.slice(0, path.lastIndexOf('/')))} || exit 1\n` : ''}${method === undefined ? `rm -rf ${temporary} && ln -s ${quote(link)} ${temporary} && echo rename` : `${replaceLinkFunction}replace_link ${[method, path, link, run.id].map(quote).join(' ')}`} || exit 1`;
  const result = await runScript(
    server,
    `was=$(readlink ${current}) || was=
case $was in ${allowed}) ;; *) printf 'kept=%s\\n' "$was"; exit 0;; esac
printf 'was=%s\\n' "$was"
if [ "$was" != ${quote(link ?? '')} ]; then
${replace}
fi
${then}`,
    { signal },
  );
  const said = result.stdout.toString('utf8');
  if (!/^rename$/m.test(said)) return said;
  if (posixRename === undefined) throw switchUnsupported(server.address.entry);
  await posixRename(`${server.facts.project}/${temporary}`, `${server.facts.project}/${path}`);
  return said;
}
