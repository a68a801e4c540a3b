/** The user's commands around the steps: where they run, with which variables, and how often. */
import { OPTIONS, isOptionKey } from '../../config/options/options.ts';
import type { Settings } from '../../config/options/options.ts';
import { parseCommand, type PlacedCommand } from '../../config/values/resolvers.ts';
import { hasRole } from '../../config/values/serverEntries.ts';
import { bug } from '../../errors.ts';
import { sourceEnvironment } from '../steps/envFile.ts';
import { oncePerRun } from './parallel.ts';
import { isNamed, type NamedRun, type Run, type ServerRun } from './run.ts';
import { waveEnv, type Wave } from './waves.ts';
import { flush, runUserCommand, type UserCommand } from './script.ts';

/** `before_<step>`, `after_<step>`, `after_deploy`, `after_rollback` or `on_failure`. */
export type HookName = Extract<keyof Settings, `before_${string}` | `after_${string}` | 'on_failure'>;

/** The commands of `before_<step>` or `after_<step>`; none for steps without hooks. */
export function stepHook(side: 'before' | 'after', step: string): HookName | undefined {
  const key = `${side}_${step}`;
  return isOptionKey(key) &&
    OPTIONS[key].kind === 'commands' &&
    key !== 'before_deploy' &&
    key !== 'after_deploy'
    ? (key as HookName)
    : undefined;
}

export function hookCommands(run: Run, name: HookName | undefined): readonly string[] {
  return name === undefined ? [] : run.settings[name];
}

/**
 * Runs a list of commands for one server: `local!` here in the clone and once per run, `once!` on the first server only, the others in
 * `directory` on this server; `on ROLE!` and `once ROLE!` where the server has that role.
 */
export async function runHook(
  run: Run,
  server: ServerRun,
  name: HookName,
  options: {
    readonly directory: string;
    readonly signal: AbortSignal;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  await runCommands(run, server, { ...options, step: name, commands: hookCommands(run, name) });
}

/** As `runHook`, for any list of commands and step name. */
export async function runCommands(
  run: Run,
  server: ServerRun,
  options: {
    readonly step: string;
    readonly commands: readonly string[];
    readonly directory: string;
    readonly signal: AbortSignal;
    readonly env?: Readonly<Record<string, string>>;
    /** The list runs for each wave anew: `local!` once, `once!` on its first server. Undefined: for the run. */
    readonly wave?: Wave | undefined;
  },
): Promise<void> {
  const { step, signal, directory, wave } = options;
  for (const [index, item] of options.commands.entries()) {
    const placed = parseCommand(item);
    const { command } = placed;
    const env = { ...commandEnv(run, server), ...options.env };
    if (placed.place === 'local') {
      await oncePerRun(run, `${step}:${wave?.number ?? 0}:${index}`, () =>
        runHere(run, { step, command, env, signal }),
      );
      continue;
    }
    if (!runsOn(placed, server, wave?.servers ?? run.servers) || server.ownLock.state === 'lost') continue;
    await flush(server, signal);
    await runUserCommand(run, server.connection, {
      step,
      command,
      directory,
      env,
      server: server.address.entry,
      signal,
      before: sourceEnvironment(
        server.facts.project,
        releaseIn(server.facts.project, directory) ?? run.release,
      ),
    });
  }
}

/** Runs a command here, in the clone. */
export function runHere(
  run: Run,
  command: Pick<UserCommand, 'step' | 'command' | 'env' | 'signal'>,
): Promise<void> {
  return runUserCommand(run, run.local, {
    ...command,
    directory: localDirectory(run),
    env: { ...run.environment?.values, ...command.env },
    server: null,
  });
}

/** Whether a command runs on a server: where it names a role on those that have it; with `once` on the first of them. */
export function runsOn(
  { place, role }: PlacedCommand,
  server: ServerRun,
  servers: readonly ServerRun[],
): boolean {
  const isMeant = ({ address }: ServerRun): boolean => role === undefined || hasRole(address, role);
  return place === 'once' ? server === servers.find(isMeant) : isMeant(server);
}

/** What every command sees. Without a server: a command that runs here before any server matters. */
export function commandEnv(run: Run, server: ServerRun | undefined): Record<string, string> {
  return {
    ...run.settings.env,
    DURANT_STAGE: run.request.stage,
    DURANT_RELEASE: run.release ?? '',
    DURANT_RELEASE_PATH: server !== undefined && isNamed(run) ? releaseFolder(run, server) : '',
    DURANT_COMMIT: run.commit?.id ?? '',
    DURANT_BRANCH: run.commit?.branch ?? '',
    DURANT_SERVER: server?.address.entry ?? '',
    ...(run.wave === undefined ? {} : waveEnv(run.wave)),
  };
}

/** A path of the run's release, relative to project_dir. */
export function inRelease({ strategy, release }: NamedRun, path: string): string {
  return strategy.layout.inRelease(release, path);
}

/** Folder of the run's release; with `inplace` project_dir itself. */
export function releaseFolder({ strategy, release }: NamedRun, server: ServerRun): string {
  return strategy.layout.releaseFolder(server.facts.project, release);
}

/** The release that a folder is the folder of: after a switch-back that is not the run's own. */
function releaseIn(project: string, directory: string): string | undefined {
  const folder = `${project}/releases/`;
  return directory.startsWith(folder) ? directory.slice(folder.length) : undefined;
}

function localDirectory(run: Run): string {
  if (run.clone === undefined) throw bug('A local command was reached before the clone was made.');
  return run.clone.directory;
}
