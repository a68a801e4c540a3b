/** What would keep the services of a stage from running on a server, known before anything is changed. */
import { DurantError, type ErrorCode, type ErrorDetails } from '../../errors.ts';
import { lookScript, parseLook, type ServicesFacts } from '../app/lookAtServices.ts';
import { CADDY_FOLDER } from '../app/manager.ts';
import { obtainSudo, type Sudo } from '../app/privilege.ts';
import { applyCommands, askSudoScript } from '../app/applyCommands.ts';
import { hasInstance, instanceOf, type ServiceSet } from '../app/serviceSet.ts';
import { keptSet, projectOf, publishingOfRun, wantedSet } from '../app/wanted.ts';
import { makesRelease } from '../run/run.ts';
import { lastLines } from '../run/script.ts';
import type { StepContext } from '../run/step.ts';
import { sudoMissing } from './sudoAssessment.ts';

/** What a stage wants on a server, and what a look at it found. */
interface Look {
  readonly set: ServiceSet;
  readonly facts: ServicesFacts;
}

/** What is to be done, in words. */
export async function pendingServices(context: StepContext): Promise<string> {
  const look = await lookAt(context);
  // Of an instance the step says so that starts it.
  const words = [
    ...leftManager(look.set, context.server.services?.before),
    ...(hasInstance(look.set) ? [] : await howPublished(context, look.set)),
  ];
  return pendingWork(look, words);
}

/** What becomes of units in the other systemd, where `systemd` is another since the release that is live; in words. */
function leftManager(set: ServiceSet, before: ServiceSet | undefined): readonly string[] {
  const names = unitsLeft(set, before);
  if (before === undefined || names.length === 0) return [];
  return [
    `${names.join(', ')} of systemd: ${before.manager} to stop and remove, as it is ${set.manager} now`,
  ];
}

/** Unit files in the other systemd. */
function unitsLeft(set: ServiceSet, before: ServiceSet | undefined): readonly string[] {
  return before === undefined || before.manager === set.manager ? [] : before.units.map(({ name }) => name);
}

/** How a site's release is published and why, and what memory both of its instances may take, where that is known; in words. */
export async function howPublished({ run }: StepContext, set: ServiceSet): Promise<readonly string[]> {
  if (!makesRelease(run) || set.site === undefined) return [];
  const { how, why } = await publishingOfRun(run);
  const text = instanceOf(set)
    .units.map((file) => file.text)
    .join('\n');
  const limit = /^MemoryMax=(.+)$/m.exec(text)?.[1];
  const memory = limit === undefined ? [] : [`both instances together may take twice ${limit} of memory`];
  return [`publish: ${how}, as ${why}`, ...memory];
}

async function lookAt({ run, server, signal }: StepContext): Promise<Look> {
  const set = await wantedSet(run, server, signal);
  const result = await server.connection.exec({
    script: lookScript(set, projectOf(server)),
    signal,
  });
  return { set, facts: parseLook(result.stdout.toString('utf8')) };
}

function pendingWork({ set, facts }: Look, published: readonly string[] = []): string {
  const stale = facts.ours.filter((name) => !set.units.some((unit) => unit.name === name));
  const files = [...set.units.map(({ name }) => name), ...(set.site === undefined ? [] : [set.site.path])];
  const differ = files.filter((name) => !facts.same.has(name));
  return [
    differ.length === 0 ? 'unit files are in place' : `${differ.join(', ')} to install`,
    ...(stale.length === 0 ? [] : [`${stale.join(', ')} to stop and remove`]),
    `${set.units.flatMap(({ units }) => units).join(', ') || 'nothing'} to start or restart`,
    ...published,
  ].join('; ');
}

/**
 * @param root whether somebody is asked for the password that sudo wants.
 * @returns what is to be done, in words.
 * @throws {DurantError} what would keep the services from being installed, before anything is changed.
 */
export async function assessServices(context: StepContext, root: 'asked' | 'not asked'): Promise<string> {
  const { run, server, signal } = context;
  const entry = server.address.entry;
  const look = await lookAt(context);
  const { set, facts } = look;
  const refuse = (code: ErrorCode, summary: string, details: ErrorDetails): never => {
    throw new DurantError(code, summary, { ...details, server: entry });
  };
  const [foreign] = facts.foreign;
  const [unreadable] = facts.unreadable;
  if (unreadable !== undefined)
    refuse('permission-denied', `${unreadable} on ${entry} cannot be read, so nobody knows whose it is.`, {
      remedy: 'Make it readable for the login user, then try again.',
    });
  if (foreign !== undefined)
    refuse(
      'services-failed',
      `${foreign} on ${entry} was not made by Durant for this project_dir, and would be replaced.`,
      { remedy: 'Remove it there, or choose another name with app.' },
    );
  if (set.units.length > 0 && !facts.hasSystemctl)
    refuse('tool-missing', `${entry} has no systemd, which runs the processes.`, {
      remedy: 'Leave them out with processes.',
    });
  if (set.manager === 'user' && set.units.length > 0) {
    if (!facts.lingers)
      refuse(
        'services-failed',
        `On ${entry} the services of ${server.facts.user} would end with the login.`,
        { remedy: 'Enable lingering there', command: `sudo loginctl enable-linger ${server.facts.user}` },
      );
    if (!facts.userManager)
      refuse('services-failed', `The systemd of ${server.facts.user} on ${entry} does not answer.`, {
        remedy: 'Log in there and run',
        command: 'systemctl --user status',
      });
  }
  if (set.units.length > 0 && !facts.hasAnalyze)
    run.emit({
      event: 'warning',
      code: 'units-not-verified',
      message: `${entry} has no systemd-analyze, so units that systemd refuses are found only when they are started. Install the complete systemd package there.`,
      server: entry,
    });
  if (facts.refusedUnits !== undefined)
    refuse('services-failed', `systemd on ${entry} refuses the units; nothing was changed.`, {
      remedy: 'Correct [process …] or the templates, then deploy again.',
      output: lastLines(facts.refusedUnits, 6),
    });
  if (set.site !== undefined) {
    if (!facts.hasCaddy)
      refuse('tool-missing', `${entry} has no caddy, which serves ${run.settings.domain_name.join(', ')}.`, {
        remedy: 'Install it there, or write proxy = none.',
      });
    if (facts.refusedSite !== undefined)
      refuse('services-failed', `Caddy on ${entry} refuses the site file; nothing was changed.`, {
        remedy: 'Correct domain_name, upstream, statics or the template, then deploy again.',
        output: lastLines(facts.refusedSite, 4),
      });
    if (!facts.caddyRuns)
      refuse(
        'services-failed',
        `Caddy does not run on ${entry}, so ${run.settings.domain_name.join(', ')} would not be served.`,
        { remedy: 'Start it there', command: 'sudo systemctl enable --now caddy' },
      );
    if (facts.imported === false)
      refuse(
        'services-failed',
        `${CADDY_FOLDER}/Caddyfile on ${entry} does not import ${set.site.path}, so the site would not be served.`,
        { remedy: `Add to it: import ${run.settings.proxy_dir.replace(/\/+$/, '')}/*.caddy` },
      );
  }
  const before =
    server.facts.live === null ? undefined : await keptSet(run, server, server.facts.live, signal);
  const sudo = await becomeRoot(context, look, before, root);
  await assertAllowed(context, look, before, sudo);
  const instance = hasInstance(set) ? (server.services?.instance ?? 'wanted') : undefined;
  server.services = { ...server.services, begun: server.services?.begun ?? false, before, sudo, instance };
  return pendingWork(look, [...leftManager(set, before), ...(await howPublished(context, set))]);
}

/** @throws {DurantError} `permission-denied`, naming what sudo does not allow of all that the run will need. */
async function assertAllowed(
  { run, server, signal }: StepContext,
  { set, facts }: Look,
  before: ServiceSet | undefined,
  sudo: Sudo,
): Promise<void> {
  // In a dry run nobody is asked for the password that would tell.
  if (sudo.kind === 'none' || facts.sudo === 'none' || (facts.sudo === 'password' && sudo.kind === 'free'))
    return;
  const about = {
    project: projectOf(server),
    proxyDir: run.settings.proxy_dir,
    ownSites: facts.ownSites,
    hasSites: facts.hasSites,
  };
  const stale = facts.ours.filter((name) => !set.units.some((unit) => unit.name === name));
  const other = { manager: before?.manager ?? set.manager, units: [], site: undefined };
  const commands = [
    ...applyCommands({ ...about, set, stale }),
    ...applyCommands({ ...about, set: other, stale: unitsLeft(set, before) }),
  ];
  const { stdout } = await server.connection.exec({ script: askSudoScript(sudo, commands), signal });
  const missing = stdout.toString('utf8').trim();
  if (missing === '') return;
  throw sudoMissing(run.request.stage, server, missing);
}

/** @throws {DurantError} `permission-denied` where root is needed and cannot be had. */
async function becomeRoot(
  { run, server, signal }: StepContext,
  { set, facts }: Look,
  before: ServiceSet | undefined,
  root: 'asked' | 'not asked',
): Promise<Sudo> {
  const needed =
    (set.manager === 'system' && (set.units.length > 0 || facts.ours.length > 0)) ||
    (before?.manager === 'system' && unitsLeft(set, before).length > 0) ||
    (set.site !== undefined && !facts.ownSites);
  if (!needed) return { kind: 'none' };
  const known = server.services?.sudo;
  if (known?.kind === 'password') return known;
  if (root === 'not asked' && facts.sudo === 'password') return { kind: 'free' };
  return obtainSudo({
    connection: server.connection,
    found: facts.sudo,
    user: server.facts.user,
    prompt: run.host.prompt,
    addSecrets: run.addSecrets,
    signal,
  });
}
