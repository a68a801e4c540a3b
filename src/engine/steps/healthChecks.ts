/** The items of `health_check`: which are asked for by HTTP, where each is asked, and asking it until it answers or its tries are over. */
import { DurantError, asDurantError } from '../../errors.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import type { Settings } from '../../config/options/options.ts';
import { CADDY_FOLDER } from '../app/manager.ts';
import type { ServiceSet } from '../app/serviceSet.ts';
import { hasSite } from '../app/site.ts';
import { commandEnv, releaseFolder, runCommands, runHere, runsOn } from '../run/hooks.ts';
import type { NamedRun } from '../run/run.ts';
import type { StepContext } from '../run/step.ts';
import { wrongWithInstance } from './askInstance.ts';
import { wrongWith } from './askUrl.ts';

const BETWEEN_TRIES_MS = 2_000;

/** Whether a check, without its prefix, is asked for by HTTP or runs as a command: `/path` is of the site, where there is one. */
export function isAsked(settings: Settings, check: string): boolean {
  return isUrl(check) || isPath(settings, check);
}

function isUrl(check: string): boolean {
  return /^https?:\/\//i.test(check);
}

function isPath(settings: Settings, check: string): boolean {
  return /^\/\S*$/.test(check) && hasSite(settings);
}

interface Asked {
  /** What the run's release runs with. */
  readonly set: ServiceSet;
  /** `instance`: what is about the site, of the process that it is to lead to; `site`: everything, as visitors find it. */
  readonly of: 'instance' | 'site';
}

/** Asks what a server is to be asked. @throws {DurantError} `health-check-failed`. */
export async function askAll(context: StepContext<NamedRun>, asked: Asked): Promise<void> {
  const { run, server } = context;
  const among = run.wave?.servers ?? run.servers;
  for (const item of run.settings.health_check) {
    const placed = parseCommand(item);
    const isHere = placed.place === 'local';
    if (isHere ? server !== among[0] : !runsOn(placed, server, among)) continue;
    const isOfSite = isPath(run.settings, placed.command) || isOfDomain(run.settings, placed.command);
    if (asked.of === 'instance' && !isOfSite) continue;
    // What has no site there has none of its pages.
    if (isPath(run.settings, placed.command) && asked.set.site === undefined) continue;
    await tryCheck(context, item, asked);
  }
}

async function tryCheck(context: StepContext<NamedRun>, item: string, asked: Asked): Promise<void> {
  const { run, server, signal } = context;
  const tries = run.settings.health_retries + 1;
  for (let attempt = 1; ; attempt++) {
    try {
      if (isAsked(run.settings, parseCommand(item).command)) await askUrl(context, item, asked);
      else await runCheck(context, item);
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
        message: error.with({ remedy: `Trying again (${attempt} of ${tries - 1}).` }).message,
        server: server.address.entry,
      });
      await run.host.sleep(BETWEEN_TRIES_MS, signal);
    }
  }
}

async function askUrl(context: StepContext<NamedRun>, item: string, { set, of }: Asked): Promise<void> {
  const { run, server, signal } = context;
  const { place, command: check } = parseCommand(item);
  const url = isUrl(check) ? check : await siteUrl(context, set, check);
  const asking = { timeoutMs: run.settings.health_timeout, sleep: run.host.sleep, signal };
  // In maintenance visitors get a page of the proxy's.
  const isPastSite = of === 'instance' || (server.facts.maintenance && isOfDomain(run.settings, url));
  const upstream = isPastSite ? set.upstream : undefined;
  const isHere = place === 'local' && upstream === undefined;
  const wrong =
    upstream === undefined
      ? await wrongWith(url, { ...asking, connection: isHere ? undefined : server.connection })
      : await wrongWithInstance(url, upstream, { ...asking, connection: server.connection });
  if (wrong === undefined) return;
  const entry = isHere ? 'this machine' : server.address.entry;
  throw new DurantError('health-check-failed', `Asked from ${entry}, ${url} ${wrong.replace(/\.$/, '')}.`);
}

function isOfDomain(settings: Settings, check: string): boolean {
  if (!hasSite(settings) || !isUrl(check)) return false;
  const { hostname } = new URL(check);
  return settings.domain_name.some((domain) => hostOf(domain) === hostname);
}

function hostOf(domain: string): string {
  return domain.replace(/:\d+$/, '');
}

/** The address of a page of the site as its proxy has it: the port is that of Caddy's own options, or the domain's. */
async function siteUrl({ run, server, signal }: StepContext, set: ServiceSet, path: string): Promise<string> {
  const [domain = ''] = run.settings.domain_name;
  const isPlain = new RegExp(`(?:^|[\\s,])http://${domain.replaceAll(/[.*]/g, '\\$&')}`).test(
    set.site?.text ?? '',
  );
  const scheme = isPlain ? 'http' : 'https';
  const name = hostOf(domain).replace('*', 'www');
  const own = /:(\d+)$/.exec(domain)?.[1];
  if (own !== undefined) return `${scheme}://${name}:${own}${path}`;
  const { stdout } = await server.connection.exec({
    script: `sed -n 's/^[[:space:]]*${scheme}_port[[:space:]]\\{1,\\}\\([0-9]\\{1,\\}\\).*/\\1/p' ${CADDY_FOLDER}/Caddyfile 2>/dev/null | head -n 1`,
    signal,
  });
  const port = stdout.toString('utf8').trim();
  return `${scheme}://${name}${port === '' ? '' : `:${port}`}${path}`;
}

async function runCheck(context: StepContext<NamedRun>, item: string): Promise<void> {
  const { run, server } = context;
  const limit = AbortSignal.timeout(run.settings.health_timeout);
  const step = 'health_check';
  const signal = AbortSignal.any([context.signal, limit]);
  const { place, command } = parseCommand(item);
  try {
    if (place === 'local') return await runHere(run, { step, command, env: commandEnv(run, server), signal });
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
