/** A stage's running application: how its processes are, starting and stopping them, and commands in its live release. */
import type { Readable } from 'node:stream';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { RemoteResult } from '../../remote/target.ts';
import type { OutputStream } from '../run/outputLines.ts';
import { lastLines } from '../run/script.ts';
import { firstServer } from '../run/serverChoice.ts';
import { appName } from './appName.ts';
import { lastLinesScript, serviceOf, SHOWN_LINES } from './journal.ts';
import { runInLive } from './liveCommand.ts';
import { useManager } from './manager.ts';
import { onServer, sudoOf, toldOf, unitsOf, type AppParts, type Opened } from './openApp.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { processStates, type ProcessState } from './processStates.ts';
import type { UnitFile } from './serviceSet.ts';
import { siteAddress } from './site.ts';

export interface AppInfo {
  readonly stage: string;
  readonly app: string;
  /** `https://…`; null where the stage names no domain. */
  readonly address: string | null;
  readonly servers: readonly {
    readonly server: string;
    readonly release: string | null;
    readonly processes: readonly ProcessState[];
    readonly error: string | null;
  }[];
}

export interface AppControl {
  readonly stage: string;
  readonly servers: readonly {
    readonly server: string;
    /** The units that were started, stopped or restarted. */
    readonly units: readonly string[];
    readonly error: string | null;
  }[];
}

/** What is done with processes. */
export type ControlAction = 'start' | 'stop' | 'restart' | 'run';

/** The state of every unit that the live releases run with. One server's failure never hides another. */
export async function appInfo(parts: AppParts): Promise<AppInfo> {
  const { request } = parts;
  const servers = await Promise.all(
    request.servers.map((address) =>
      onServer(parts, address, async (opened) => ({
        server: address.entry,
        release: opened.facts.live,
        processes: await processStates({
          connection: opened.connection,
          set: opened.set,
          link: `${opened.facts.project}/${request.settings.current_path}`,
          signal: parts.signal,
        }),
        error: null,
      })).catch((thrown: unknown) => ({
        server: address.entry,
        release: null,
        processes: [],
        error: toldOf(thrown),
      })),
    ),
  );
  return {
    stage: request.stage,
    app: appName(request),
    address: siteAddress(request.settings) ?? null,
    servers,
  };
}

/**
 * Starts, stops or restarts the processes of the live releases, all or one. To restart leaves sockets as they are, so nobody who connects
 * meanwhile is turned away. To run is to do what a timer starts now, once, and to wait until it has ended.
 * @throws {DurantError} `usage` for a process that no server has.
 */
export async function controlApp(
  parts: AppParts,
  action: ControlAction,
  process: string | undefined,
): Promise<AppControl> {
  const { request, signal } = parts;
  const servers = await Promise.all(
    request.servers.map((address) =>
      onServer(parts, address, async (opened) => {
        const units = unitsFor(action, unitsOf(opened, process));
        if (units.length > 0) {
          const sudo = await sudoOf(parts, opened);
          const verb = action === 'run' ? 'start' : action;
          const script = `${defineAs(sudo)}\n${useManager(opened.set.manager)}\nctl ${verb} ${units.map(quote).join(' ')}`;
          const result = await opened.connection.exec({ script, signal });
          if (result.status !== 0) throw await notDone(parts, opened, { action, units, sudo, result });
        }
        return { server: address.entry, units, error: null };
      }).catch((thrown: unknown) => ({ server: address.entry, units: [], error: toldOf(thrown) })),
    ),
  );
  return { stage: request.stage, servers };
}

/** @throws {DurantError} `usage` where nothing of it can be run. */
function unitsFor(action: ControlAction, files: readonly UnitFile[]): readonly string[] {
  if (action !== 'run')
    return files
      .flatMap((file) => file.units)
      .filter((unit) => action !== 'restart' || !unit.endsWith('.socket'));
  const jobs = files
    .filter(({ name }) => name.endsWith('.timer'))
    .map(({ name }) => name.replace(/\.timer$/, '.service'));
  if (jobs.length > 0) return jobs;
  throw new DurantError('usage', 'Only what a timer starts can be run now.', {
    remedy: 'Name a process that has one; start starts the others.',
  });
}

async function notDone(
  { signal }: AppParts,
  { connection, set, mask }: Opened,
  {
    action,
    units,
    sudo,
    result,
  }: {
    readonly action: ControlAction;
    readonly units: readonly string[];
    readonly sudo: Sudo;
    readonly result: RemoteResult;
  },
): Promise<DurantError> {
  const { entry } = connection.address;
  const failed = units.find((unit) => result.stderr.includes(unit)) ?? units[0] ?? '';
  const { stdout } = await connection.exec({
    script: lastLinesScript(set.manager, sudo, serviceOf(failed)),
    signal,
  });
  const said = lastLines(stdout.toString('utf8'), SHOWN_LINES);
  return new DurantError('services-failed', `${action} failed on ${entry} (exit status ${result.status}).`, {
    remedy: `Fix what keeps ${failed} from it, then try again.`,
    server: entry,
    output: mask([said, lastLines(result.stderr.toString('utf8'), 5)].join('\n').trim()),
  });
}

/** The values that no output of the stage's first server may show: durant.conf's, and those of the live release's environment file. */
export async function appSecrets(parts: AppParts): Promise<readonly string[]> {
  return onServer(parts, firstServer(parts.request), async ({ secrets }) => secrets);
}

/**
 * Runs a shell command in the live release of the stage's first server, with its environment. Its output comes line by line, without
 * secrets.
 * @param input what it reads from standard input; undefined: nothing.
 * @returns its exit status.
 */
export async function appExec(
  parts: AppParts,
  command: string,
  input: Readable | undefined,
  onOutput: (stream: OutputStream, text: string) => void,
): Promise<number> {
  return onServer(parts, firstServer(parts.request), (opened) =>
    runInLive(parts.request, opened, {
      command,
      input,
      onOutput: (stream, line, lineEnd) => onOutput(stream, `${line}${lineEnd}`),
      signal: parts.signal,
    }),
  );
}
