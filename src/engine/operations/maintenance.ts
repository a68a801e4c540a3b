/** `maintenance`: visitors of a stage get 503 and a page, until it is off again. Deploys work meanwhile and leave the page where it is. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { lookScript, parseLook } from '../app/lookAtServices.ts';
import { MAX_PAGE, maintenanceScript, maintenanceSite } from '../app/maintenanceSite.ts';
import { obtainSudo, type Sudo } from '../app/privilege.ts';
import type { SiteFile } from '../app/serviceSet.ts';
import { keptSet, noServices } from '../app/wanted.ts';
import type { Emit, RunFinished } from '../events.ts';
import type { Host } from '../ports.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { forEachServer } from '../run/parallel.ts';
import type { Run, ServerRun, StageRequest } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { StepContext } from '../run/step.ts';
import { timed } from '../run/timed.ts';
import { historyLine } from '../server/history.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { assertNotLocked, lockServers } from '../server/lockServers.ts';
import { assessServers } from '../server/preflight.ts';
import { trim } from '../steps/shared.ts';

export interface MaintenanceRequest extends StageRequest {
  readonly to: 'on' | 'off';
}

/** What is to stand in the proxy's place on a server. */
interface Change {
  readonly site: SiteFile;
  readonly sudo: Sudo;
}

/** Turns the maintenance of a stage on or off. Never throws: how it ended is the last event, which is returned too. */
export function maintenance(
  request: MaintenanceRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const options = { request, action: 'maintenance', dryRun: false, host, emit, signal } as const;
  return runLifecycle(options, async (run) => {
    await connectServers(run);
    assessServers(run);
    const changes = new Map<ServerRun, Change>();
    // One after the other: each may ask for a password.
    for (const server of run.servers) {
      const change = await changeFor(run, server, request.to, signal);
      if (change !== undefined) changes.set(server, change);
    }
    if (changes.size === 0)
      throw new DurantError(
        'config-invalid',
        `No server of [${request.stage}] has a Caddy site that Durant installed.`,
        { remedy: 'Set domain_name, then deploy.' },
      );
    await assertNotLocked(run);
    await lockServers(run, 0);
    await forEachServer(run, async (context) => {
      const change = changes.get(context.server);
      if (change === undefined) return;
      await timed(context, 'maintenance', async () => {
        await apply(context, change, request.to);
        return { state: 'done', reason: `visitors get ${request.to === 'on' ? '503' : 'the site'}` };
      });
    });
  });
}

/** Undefined for a server that serves no site. @throws {DurantError} `config-invalid`, `permission-denied`. */
async function changeFor(
  run: Run,
  server: ServerRun,
  to: 'on' | 'off',
  signal: AbortSignal,
): Promise<Change | undefined> {
  const { live, project, user } = server.facts;
  const { site } = live === null ? noServices(run) : await keptSet(run, server, live, signal);
  if (site === undefined) return undefined;
  const { connection } = server;
  const looked = await connection.exec({ script: lookScript(noServices(run), project), signal });
  const sudo = await obtainSudo({
    connection,
    found: parseLook(looked.stdout.toString('utf8')).sudo,
    user,
    prompt: run.host.prompt,
    addSecrets: run.addSecrets,
    signal,
  });
  if (to === 'off') return { site, sudo };
  const page = await readPage(run, server, signal);
  return { site: maintenanceSite(site, { project, settings: run.settings, page }), sudo };
}

/** The page of the live release; undefined where the stage names none. @throws {DurantError} `config-invalid` where it is not there. */
async function readPage(run: Run, server: ServerRun, signal: AbortSignal): Promise<string | undefined> {
  const { maintenance_page: page, current_path: current } = run.settings;
  if (page === undefined) return undefined;
  const file = quote(`${current}/${trim(page)}`);
  const result = await runScript(
    server,
    `if [ -f ${file} ]; then head -c ${MAX_PAGE + 1} ${file}; echo .; fi`,
    { signal },
  );
  const text = result.stdout.toString('utf8');
  if (text !== '') return text.slice(0, -2);
  throw new DurantError(
    'config-invalid',
    `The release that is live on ${server.address.entry} has no ${page}, which maintenance_page names.`,
    { remedy: 'Correct the path, or leave the option out for a plain page.', server: server.address.entry },
  );
}

async function apply(
  { run, server, signal }: StepContext,
  { site, sudo }: Change,
  to: 'on' | 'off',
): Promise<void> {
  const { project } = server.facts;
  const script = maintenanceScript({ site, project, proxyDir: run.settings.proxy_dir, sudo, to });
  await runScript(server, script, { signal });
  await runScript(server, `${historyLine(run, server, { ok: true, note: to })}\n${unlockScript(run.id)}`, {
    signal,
  });
  server.ownLock = { state: 'none' };
}
