/** `health_check`: after the switch, does the site answer? A failure here switches every server back. */
import { DurantError, asDurantError } from '../../errors.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import { commandEnv, releaseFolder, runCommands, runHere, runsOn } from '../run/hooks.ts';
import { appName } from '../app/appName.ts';
import { hasSite, upstreamOf } from '../app/site.ts';
import { wrongWithInstance } from './askInstance.ts';
import { assertCanAsk, wrongWith } from './askUrl.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import type { Step, StepContext } from '../run/step.ts';
import { checkServices, runsServices } from './services.ts';

const BETWEEN_TRIES_MS = 2_000;

export const healthCheck: Step<NamedRun> = {
  name: 'health_check',
  applies(run) {
    return run.settings.health_check.length > 0 || runsServices(run);
  },
  async assess({ run, server, signal }) {
    if (run.settings.health_check.some((check) => isUrl(check)))
      await assertCanAsk(server.connection, signal);
  },
  async look({ run }) {
    const asked = [...run.settings.health_check, ...(runsServices(run) ? ['systemd'] : [])];
    return { achieved: false, reason: `${asked.join(', ')} to be asked after the switch` };
  },
  async achieve(context) {
    await checkServices(context, 'once');
    try {
      await askAll(context);
    } catch (error) {
      // A service that has gone down says more than that nobody answers.
      if (!context.signal.aborted) await checkServices(context, 'once');
      throw error;
    }
    await checkServices(context, 'to the end');
  },
  commands(run) {
    return run.settings.health_check.filter((check) => !isUrl(parseCommand(check).command));
  },
};

async function askAll(context: StepContext<NamedRun>): Promise<void> {
  const { run, server } = context;
  const among = run.wave?.servers ?? run.servers;
  for (const item of run.settings.health_check) {
    const placed = parseCommand(item);
    if (placed.place === 'local') {
      if (server === among[0]) await tryCheck(context, item, placed.command, 'here');
    } else if (runsOn(placed, server, among)) await tryCheck(context, item, placed.command, 'server');
  }
}

/** Whether a check is asked for by HTTP, or runs as a command. */
export function isUrl(check: string): boolean {
  return /^https?:\/\//i.test(check);
}

async function tryCheck(
  context: StepContext<NamedRun>,
  item: string,
  check: string,
  from: 'here' | 'server',
): Promise<void> {
  const { run, server, signal } = context;
  const tries = run.settings.health_retries + 1;
  for (let attempt = 1; ; attempt++) {
    try {
      if (isUrl(check)) await askUrl(run, server, check, from, signal);
      else await runCheck(context, item, from);
      return;
    } catch (thrown) {
      const error = asDurantError(thrown);
      // Without the lock or the line nothing is asked any more: that says nothing of the site, and to ask nothing is not to pass.
      if (signal.aborted || ['cancelled', 'lock-lost', 'connection-lost'].includes(error.code)) throw error;
      if (attempt >= tries)
        throw error.with({
          code: 'health-check-failed',
          server: server.address.entry,
        });
      run.emit({
        event: 'warning',
        code: 'health-check-retry',
        message: error.with({ summary: `${error.summary} Trying again (${attempt} of ${tries - 1}).` })
          .message,
        server: server.address.entry,
      });
      await run.host.sleep(BETWEEN_TRIES_MS, signal);
    }
  }
}

async function askUrl(
  run: Run,
  server: ServerRun,
  url: string,
  from: 'here' | 'server',
  signal: AbortSignal,
): Promise<void> {
  const asking = { timeoutMs: run.settings.health_timeout, sleep: run.host.sleep, signal };
  const behind = behindPage(run, server, url);
  const wrong =
    behind === undefined
      ? await wrongWith(url, { ...asking, connection: from === 'here' ? undefined : server.connection })
      : await wrongWithInstance(url, behind, { ...asking, connection: server.connection });
  if (wrong === undefined) return;
  const entry = from === 'here' && behind === undefined ? 'this machine' : server.address.entry;
  throw new DurantError('health-check-failed', `Asked from ${entry}, ${url} ${wrong.replace(/\.$/, '')}.`);
}

/** Where the application itself answers, when visitors of this address get the maintenance page. */
function behindPage({ request, settings }: Run, { facts }: ServerRun, url: string): string | undefined {
  if (!facts.maintenance || !hasSite(settings)) return undefined;
  if (!settings.domain_name.includes(new URL(url).hostname)) return undefined;
  return upstreamOf({ app: appName(request), processes: request.processes, settings });
}

async function runCheck(
  context: StepContext<NamedRun>,
  item: string,
  from: 'here' | 'server',
): Promise<void> {
  const { run, server } = context;
  const limit = AbortSignal.timeout(run.settings.health_timeout);
  const step = 'health_check';
  const signal = AbortSignal.any([context.signal, limit]);
  try {
    if (from === 'here')
      return await runHere(run, {
        step,
        command: parseCommand(item).command,
        env: commandEnv(run, server),
        signal,
      });
    await runCommands(run, server, {
      step,
      commands: [item],
      directory: releaseFolder(run, server),
      signal,
    });
  } catch (thrown) {
    if (!limit.aborted) throw thrown;
    throw new DurantError(
      'health-check-failed',
      `${item} did not end within ${run.settings.health_timeout / 1000} s on ${server.address.entry}.`,
    );
  }
}
