/** The dead man's switch in a run: when a server's watcher starts, how long it waits, and the confirmation that ends it. */
import { publishingOfRun } from '../app/wanted.ts';
import { endsWithSession, needsScope } from '../server/session.ts';
import { restoringScripts, runsServices } from '../steps/services.ts';
import { formatLock } from '../server/record.ts';
import { reachable } from './reconnect.ts';
import { inParallel } from './parallel.ts';
import { lockOf, type NamedRun, type Run, type ServerRun, makesRelease } from './run.ts';
import { defer, flush } from './script.ts';
import { wavesOf } from './waves.ts';
import { confirmScript, startWatcher, stopWatcher } from '../server/watcherScript.ts';

/** What a step that nothing limits counts for. */
const UNLIMITED_MS = 600_000;
const MARGIN_MS = 30_000;
/** Between two tries of a health check; and one look at the services with its pause. */
const PAUSE_MS = 2_000;
const LOOK_MS = 3_000;

/** Whether a watcher is left on a server: the stage wants it, and a link can be replaced there in one step without this client. */
export function isWatched(run: Run, { facts }: ServerRun): boolean {
  return run.settings.dead_man && run.strategy.layout.hasReleases && facts.switchBy !== undefined;
}

/** Why what a run leaves on a server would not outlive its connection, in words; undefined: it would, or nothing is left there. */
export async function watcherProblem(run: Run, { facts }: ServerRun): Promise<string | undefined> {
  if (!run.strategy.layout.hasReleases) return undefined;
  const { dead_man } = run.settings;
  if (dead_man && facts.switchBy === undefined)
    return "The dead man's switch needs a command that replaces a link in one step (mv -T, mv -h, perl or python3), which this server lacks: a client that dies after the switch leaves its release live and unchecked.";
  if (endsWithSession(facts) && !facts.hasScopes) {
    const { how } = await publishingOfRun(run);
    const lost = [
      ...(dead_man
        ? [
            "the dead man's switch (a client that dies after the switch leaves its release live and unchecked)",
          ]
        : []),
      ...(how === 'beside'
        ? ['what stops the old process after drain (it runs on until the next deploy)']
        : []),
    ];
    if (lost.length > 0)
      return `Processes of the login user end with its session here (KillUserProcesses in logind.conf), these among them: ${lost.join(', ')}. Run there: sudo loginctl enable-linger ${facts.user}`;
  }
  if (dead_man && !facts.hasSetsid)
    return "The dead man's switch ends with the processes of its run here, as this server has no setsid: after durant unlock --force of a dead run its release stays live and unchecked. Install setsid (util-linux) there, or write dead_man: no.";
  return undefined;
}

/** Says where the watcher would not outlive the connection. */
export async function warnOfWatchers(run: Run): Promise<void> {
  for (const server of run.servers) {
    const message = await watcherProblem(run, server);
    if (message !== undefined)
      run.emit({ event: 'warning', code: 'dead-man-missing', message, server: server.address.entry });
  }
}

/** The longest that the steps after the switch may take, and a margin; whole seconds. */
export function secondsToConfirm(run: Run): number {
  const { settings } = run;
  const tries = settings.health_retries + 1;
  const afterSwitch = commandsLimit(run, settings.after_symlink);
  const watch = runsServices(run) ? settings.watch + LOOK_MS : 0;
  const services = runsServices(run) ? UNLIMITED_MS + watch : 0;
  const checks = settings.health_check.length * tries * (settings.health_timeout + PAUSE_MS);
  const waves = wavesOf(run).length;
  const around = commandsLimit(run, [...settings.before_wave, ...settings.after_wave]);
  // A pause ends with a check that may have begun just before its end.
  const pauses = (waves - 1) * (settings.wave_pause === undefined ? 0 : settings.wave_pause + checks + watch);
  const steps = waves * (afterSwitch + services + checks + around) + pauses;
  return Math.ceil((steps + MARGIN_MS) / 1000);
}

/** How long a list of a deploy's commands may take, in ms. */
function commandsLimit(run: Run, commands: readonly string[]): number {
  if (!makesRelease(run) || commands.length === 0) return 0;
  const { command_timeout: each } = run.settings;
  return each === undefined ? UNLIMITED_MS : commands.length * each;
}

/** Has the watcher of a server started in the next round trip, which is that of its switch. */
export function watchSwitch(
  run: NamedRun,
  server: ServerRun,
  links: { readonly link: string; readonly linkBefore: string | undefined },
): void {
  const { switchBy, project } = server.facts;
  if (!isWatched(run, server) || switchBy === undefined) return;
  const script = startWatcher({
    ...links,
    run: run.id,
    project,
    release: run.release,
    seconds: secondsToConfirm(run),
    currentPath: run.settings.current_path,
    switchBy,
    isNew: makesRelease(run),
    lock: formatLock(lockOf(run, 'what this run did not confirm is put back')),
    who: `${run.host.user}@${run.host.hostname}`,
    services: restoringScripts(run, server),
    inScope: needsScope(server.facts),
  });
  defer(server, script);
}

/** Has the watcher of a server ended before it is switched back. */
export function unwatch(run: Run, server: ServerRun): void {
  if (isWatched(run, server)) defer(server, stopWatcher(run.id));
}

/**
 * Whether the script of the switch confirms it, too, which saves a round trip: one server has nobody to wait for, and nothing that could
 * still fail comes between the two.
 */
export function confirmsWithSwitch(run: Run, { facts }: ServerRun): boolean {
  const { health_check: checks, after_wave: afterWave, after_symlink: afterSymlink } = run.settings;
  const between = [...checks, ...afterWave, ...afterSymlink];
  return (
    makesRelease(run) &&
    run.servers.length === 1 &&
    facts.switchBy !== undefined &&
    between.length === 0 &&
    !runsServices(run)
  );
}

/**
 * Confirms on every server that the run is live, with what was deferred: no watcher puts anything back from then on.
 * @throws {DurantError} `reverted` where one has.
 */
export async function confirmLive(run: Run): Promise<void> {
  const watched = run.servers.filter(
    (server) => isWatched(run, server) && server.previous !== undefined && server.confirmed !== true,
  );
  for (const server of watched) server.deferred.unshift(confirmScript(run.id));
  // The run is live by now: a cancel no longer counts.
  const { signal } = new AbortController();
  await inParallel(watched, watched.length, signal, (server) =>
    reachable(run, server, () => flush(server, signal)),
  );
}
