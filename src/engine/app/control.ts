/** A stage's running application: how its processes are, starting and stopping them, their logs, and commands in its live release. */
import type { Readable } from 'node:stream';
import { LAYOUTS } from '../server/layout.ts';
import { createMasker, type Masker } from '../../config/values/mask.ts';
import { DurantError, asDurantError } from '../../errors.ts';
import { quote, quotePath } from '../../remote/shell.ts';
import type { Connection, RemoteResult, ServerAddress } from '../../remote/target.ts';
import type { Emit } from '../events.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { sourceEnvironment } from '../steps/envFile.ts';
import { servicesRecord } from './wanted.ts';
import type { Host } from '../ports.ts';
import { lookedUpIn } from '../server/record.ts';
import { announcedPrompter } from '../run/emit.ts';
import { inParallel } from '../run/parallel.ts';
import type { StageRequest } from '../run/run.ts';
import { outputLines, type OutputStream } from '../run/outputLines.ts';
import { exports, lastLines } from '../run/script.ts';
import { secretValues } from '../secrets/environment.ts';
import { readEnvText } from '../secrets/envText.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';
import { appName } from './appName.ts';
import { lookScript, parseLook } from './lookAtServices.ts';
import { useManager } from './manager.ts';
import { defineAs, obtainSudo, type Sudo } from './privilege.ts';
import { processStates, type ProcessState } from './processStates.ts';
import { siteAddress } from './renderUnits.ts';
import { parseServiceSet, type ServiceSet, type UnitFile } from './serviceSet.ts';

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

/** What every function here works with. */
export interface AppParts {
  readonly request: StageRequest;
  readonly host: Host;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** The state of every unit that the live releases run with. One server's failure never hides another. */
export async function appInfo(parts: AppParts): Promise<AppInfo> {
  const { request } = parts;
  const servers = await Promise.all(
    request.servers.map((address) =>
      onServer(parts, address, async (opened) => ({
        server: address.entry,
        release: opened.facts.live,
        processes: await processStates(opened.connection, opened.set, parts.signal),
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
 * Starts, stops or restarts the processes of the live releases, all or one. To restart leaves sockets and timers as they are, so nobody
 * who connects meanwhile is turned away.
 * @throws {DurantError} `usage` for a process that no server has.
 */
export async function controlApp(
  parts: AppParts,
  action: 'start' | 'stop' | 'restart',
  process: string | undefined,
): Promise<AppControl> {
  const { request, signal } = parts;
  const servers = await Promise.all(
    request.servers.map((address) =>
      onServer(parts, address, async (opened) => {
        const units = unitsOf(opened, process)
          .flatMap((file) => file.units)
          .filter((unit) => action !== 'restart' || unit.endsWith('.service'));
        if (units.length > 0) {
          const sudo = await sudoOf(parts, opened);
          const script = `${defineAs(sudo)}\n${useManager(opened.set.manager)}\nctl ${action} ${units.map(quote).join(' ')}`;
          assertDone(address, action, await opened.connection.exec({ script, signal }));
        }
        return { server: address.entry, units, error: null };
      }).catch((thrown: unknown) => ({ server: address.entry, units: [], error: toldOf(thrown) })),
    ),
  );
  return { stage: request.stage, servers };
}

/**
 * The log lines of the processes, oldest first and without secrets, until they end or (with `follow`) the signal is aborted. What fails on
 * one server ends them all.
 * @throws {DurantError} `cancelled` at the end of following; `usage`; the connection codes.
 */
export async function appLogs(
  parts: AppParts,
  options: { readonly process: string | undefined; readonly follow: boolean; readonly lines: number },
  onLine: (server: string, line: string) => void,
): Promise<void> {
  const servers = parts.request.servers.map((address) => ({ address }));
  await inParallel(servers, servers.length, parts.signal, ({ address }, signal) =>
    onServer({ ...parts, signal }, address, async (opened) => {
      const units = unitsOf(opened, options.process).flatMap((file) =>
        file.units.length > 0 ? file.units : [file.name],
      );
      if (units.length === 0) return;
      const sudo = await sudoOf({ ...parts, signal }, opened);
      const { mask } = opened;
      const lines = outputLines(mask, (_, line) => onLine(address.entry, mask(line)));
      const user = opened.set.manager === 'user' ? '--user ' : '';
      const named = units.map((unit) => `-u ${quote(unit)}`).join(' ');
      const result = await opened.connection.exec({
        script: `${defineAs(sudo)}\n${useManager(opened.set.manager)}\nchange journalctl ${user}--no-pager --quiet -o short-iso -n ${options.lines} ${options.follow ? '-f ' : ''}${named}`,
        signal,
        onOutput: lines.write,
      });
      lines.end();
      assertDone(address, 'logs', result);
    }),
  );
}

/** The values that no output of the stage's first server may show: durant.conf's, and those of the live release's environment file. */
export async function appSecrets(parts: AppParts): Promise<readonly string[]> {
  return onServer(parts, firstServer(parts), async ({ secrets }) => secrets);
}

function firstServer({ request }: AppParts): ServerAddress {
  const [address] = request.servers;
  if (address === undefined) throw new DurantError('config-invalid', 'The stage has no server. Add one.');
  return address;
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
  const address = firstServer(parts);
  return onServer(parts, address, async ({ connection, facts, mask }) => {
    const { stage, settings } = parts.request;
    const { hasReleases, releaseFolder } = LAYOUTS[settings.strategy];
    if (facts.live === null && hasReleases) throw nothingLive(address, stage);
    const live = facts.records.find(({ name }) => name === facts.live);
    const folder = releaseFolder(facts.project, facts.live ?? '');
    const env = {
      ...settings.env,
      DURANT_STAGE: stage,
      DURANT_RELEASE: facts.live ?? '',
      DURANT_RELEASE_PATH: folder,
      DURANT_COMMIT: live?.commit ?? '',
      DURANT_BRANCH: live?.branch ?? '',
      DURANT_SERVER: address.entry,
    };
    const lines = outputLines(mask, (stream, line, lineEnd) => onOutput(stream, `${mask(line)}${lineEnd}`));
    const { status } = await connection.exec({
      script: `${sourceEnvironment(facts.project, facts.live ?? '')}${exports(env)}\ncd ${quote(folder)} || exit 1\n${command}`,
      ...(input === undefined ? {} : { input }),
      signal: parts.signal,
      onOutput: lines.write,
    });
    lines.end();
    return status;
  });
}

/**
 * sh text that goes into the live release with its environment file, for a terminal of the user's own; then runs `command`, or a login
 * shell. It holds no value of any variable.
 */
export function appShellScript({ settings, stage }: StageRequest, command: string | undefined): string {
  const project = quotePath(settings.project_dir);
  const missing = quote(`Nothing is live in ${settings.project_dir}; deploy first: durant deploy ${stage}`);
  return `cd -- ${project} 2>/dev/null && p=$(pwd -P) && cd -- ${quote(settings.current_path)} 2>/dev/null || { echo ${missing} >&2; exit 1; }
r=$(pwd -P); r=\${r##*/}
if [ -r "$p/.durant/env/$r" ]; then set -a; . "$p/.durant/env/$r"; set +a; fi
DURANT_STAGE=${quote(stage)} DURANT_RELEASE=$r DURANT_RELEASE_PATH=$(pwd -P); export DURANT_STAGE DURANT_RELEASE DURANT_RELEASE_PATH
${command ?? 'exec "${SHELL:-/bin/sh}"'}`;
}

interface Opened {
  readonly connection: Connection;
  readonly facts: ServerFacts;
  /** What the live release runs with. */
  readonly set: ServiceSet;
  /** Those of durant.conf and of the live release's environment file. */
  readonly secrets: readonly string[];
  /** Hides them. */
  readonly mask: Masker;
}

async function onServer<T>(
  { request, host, emit, signal }: AppParts,
  address: ServerAddress,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { settings } = request;
  const prompt = announcedPrompter(host.prompt, emit);
  const connection = await connectTo({ settings, host, prompt, emit, mayAddHostKeys: true, signal }, address);
  let mask = createMasker(request.secrets);
  try {
    const facts = await learnFacts(connection, settings, signal);
    const file = quote(`${facts.project}/${servicesRecord(facts.live ?? '')}`);
    const kept = facts.withServices.has(facts.live ?? '')
      ? (await connection.exec({ script: `cat ${file}`, signal })).stdout.toString('utf8')
      : '';
    const secrets = [...request.secrets, ...(await environmentSecrets(connection, facts, signal))];
    mask = createMasker(secrets);
    return await work({ connection, facts, set: parseServiceSet(kept), secrets, mask });
  } catch (thrown) {
    const error = asDurantError(thrown);
    throw new DurantError(error.code, mask(error.message), { server: error.server, cause: error });
  } finally {
    connection.close();
  }
}

async function environmentSecrets(
  connection: Connection,
  { project, live, records }: ServerFacts,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const record = records.find(({ name }) => name === live);
  if (record === undefined || record.env_names === '') return [];
  const file = quote(`${project}/.durant/env/${record.name}`);
  const { stdout } = await connection.exec({ script: `if [ -r ${file} ]; then cat ${file}; fi`, signal });
  return secretValues(readEnvText(stdout.toString('utf8')), lookedUpIn(record));
}

/** @throws {DurantError} `usage` where the live release has no such process. */
function unitsOf({ set }: Opened, process: string | undefined): readonly UnitFile[] {
  if (process === undefined) return set.units;
  const found = set.units.filter((file) => file.process === process);
  const names = [...new Set(set.units.map((file) => file.process))];
  if (found.length === 0)
    throw new DurantError(
      'usage',
      `The live release has no process "${process}". ${names.length === 0 ? 'It runs none; add [process …] and deploy.' : `Name one of ${names.join(', ')}.`}`,
    );
  return found;
}

async function sudoOf(parts: AppParts, { connection, facts, set }: Opened): Promise<Sudo> {
  if (set.manager === 'user') return { kind: 'none' };
  const empty: ServiceSet = { manager: set.manager, units: [], site: undefined };
  const looked = await connection.exec({ script: lookScript(empty, facts.project), signal: parts.signal });
  return obtainSudo({
    connection,
    found: parseLook(looked.stdout.toString('utf8')).sudo,
    user: facts.user,
    prompt: announcedPrompter(parts.host.prompt, parts.emit),
    addSecrets: () => undefined,
    signal: parts.signal,
  });
}

function assertDone(address: ServerAddress, what: string, result: RemoteResult): void {
  if (result.status === 0) return;
  const said = lastLines(result.stderr.toString('utf8'), 5);
  throw new DurantError(
    'services-failed',
    `${what} failed on ${address.entry} (exit status ${result.status}). Read what the server said:\n${said}`,
    { server: address.entry },
  );
}

function nothingLive(address: ServerAddress, stage: string): DurantError {
  return new DurantError(
    'unknown-release',
    `Nothing is live on ${address.entry}. Deploy first: durant deploy ${stage}`,
    {
      server: address.entry,
    },
  );
}

/** @throws what ends the command as a whole: a cancel, a wrong name. */
function toldOf(thrown: unknown): string {
  const error = asDurantError(thrown);
  if (error.code === 'cancelled' || error.code === 'usage') throw error;
  return error.message;
}
