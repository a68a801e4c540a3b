/** A server of a stage as the commands about its application work with it: connected, with what its release runs and its secrets hidden. */
import { createMasker, type Masker } from '../../config/values/mask.ts';
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection, RemoteResult, ServerAddress } from '../../remote/target.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { announcedPrompter } from '../run/emit.ts';
import type { StageRequest } from '../run/run.ts';
import { lastLines } from '../run/script.ts';
import { secretValues } from '../secrets/environment.ts';
import { readEnvText } from '../secrets/envText.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';
import { lookedUpIn } from '../server/record.ts';
import { newestFirst } from '../server/releases.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { lookScript, parseLook } from './lookAtServices.ts';
import { obtainSudo, type Sudo } from './privilege.ts';
import { parseServiceSet, type ServiceSet, type UnitFile } from './serviceSet.ts';
import { servicesRecord } from './wanted.ts';

/** What every function here works with. */
export interface AppParts {
  readonly request: StageRequest;
  readonly host: Host;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface Opened {
  readonly connection: Connection;
  readonly facts: ServerFacts;
  /** What the live release runs with. */
  readonly set: ServiceSet;
  /** Those of durant.conf and of the live release's environment file. */
  readonly secrets: readonly string[];
  /** Hides them. */
  readonly mask: Masker;
}

export async function onServer<T>(
  { request, host, emit, signal }: AppParts,
  address: ServerAddress,
  work: (opened: Opened) => Promise<T>,
  of: 'live' | 'live or failed' = 'live',
): Promise<T> {
  const { settings } = request;
  const prompt = announcedPrompter(host.prompt, emit);
  const connection = await connectTo({ settings, host, prompt, emit, mayAddHostKeys: true, signal }, address);
  let mask = createMasker(request.secrets);
  try {
    const facts = await learnFacts(connection, settings, signal);
    const release = of === 'live' ? facts.live : (facts.live ?? newestWithServices(facts));
    const file = quote(`${facts.project}/${servicesRecord(release ?? '')}`);
    const kept = facts.withServices.has(release ?? '')
      ? (await connection.exec({ script: `cat ${file}`, signal })).stdout.toString('utf8')
      : '';
    const secrets = [...request.secrets, ...(await environmentSecrets(connection, facts, release, signal))];
    mask = createMasker(secrets);
    return await work({ connection, facts, set: parseServiceSet(kept), secrets, mask });
  } catch (thrown) {
    throw asDurantError(thrown).masked(mask);
  } finally {
    connection.close();
  }
}

/** After a first deploy that failed, what is of interest is what its release said. */
function newestWithServices({ records, withServices }: ServerFacts): string | null {
  return newestFirst(records).find(({ name }) => withServices.has(name))?.name ?? null;
}

async function environmentSecrets(
  connection: Connection,
  { project, records }: ServerFacts,
  release: string | null,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const record = records.find(({ name }) => name === release);
  if (record === undefined || record.env_names === '') return [];
  const file = quote(`${project}/.durant/env/${record.name}`);
  const { stdout } = await connection.exec({ script: `if [ -r ${file} ]; then cat ${file}; fi`, signal });
  return secretValues(readEnvText(stdout.toString('utf8')), lookedUpIn(record));
}

/** @throws {DurantError} `usage` where the live release has no such process. */
export function unitsOf({ set }: Opened, process: string | undefined): readonly UnitFile[] {
  if (process === undefined) return set.units;
  const found = set.units.filter((file) => file.process === process);
  const names = [...new Set(set.units.map((file) => file.process))];
  if (found.length === 0)
    throw new DurantError('usage', `The live release has no process "${process}".`, {
      remedy:
        names.length === 0 ? 'Add a section [process NAME] and deploy.' : `Name one of ${names.join(', ')}.`,
    });
  return found;
}

export async function sudoOf(parts: AppParts, { connection, facts, set }: Opened): Promise<Sudo> {
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

export function assertDone(address: ServerAddress, what: string, result: RemoteResult): void {
  if (result.status === 0) return;
  const said = lastLines(result.stderr.toString('utf8'), 5);
  throw new DurantError(
    'services-failed',
    `${what} failed on ${address.entry} (exit status ${result.status}).`,
    { remedy: 'Fix the cause, then try again.', server: address.entry, output: said },
  );
}

/** @throws what ends the command as a whole: a cancel, a wrong name. */
export function toldOf(thrown: unknown): string {
  const error = asDurantError(thrown);
  if (error.code === 'cancelled' || error.code === 'usage') throw error;
  return error.message;
}
