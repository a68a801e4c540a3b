/** The environment file of a stage: read as dotenv on this machine, its `$NAME` values looked up, written for the release. */
import { scryptSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'dotenv';
import { expandLocalPath } from '../../config/values/localPath.ts';
import type { Settings } from '../../config/options/options.ts';
import { namesSecret, urlPasswords } from '../../config/secretNames.ts';
import { DurantError } from '../../errors.ts';
import type { Run, StageRequest } from '../run/run.ts';
import { localStep } from '../run/timed.ts';
import { assertAdapter, lookUpSecrets, type SecretsIo } from './adapters.ts';
import { writeEnvText, type ReleaseEnvironment } from './envText.ts';

/** Whether the releases of a stage have an environment file: `env_file`, and `env` where there are processes to see it. */
export function hasEnvironment({
  settings,
  processes,
}: Pick<StageRequest, 'settings' | 'processes'>): boolean {
  return settings.env_file !== undefined || (processes.length > 0 && Object.keys(settings.env).length > 0);
}

/** Where the environment file stands in a release. A stage without `env_file` has none that its application would look for. */
export function environmentPath({ env_file, env_target }: Settings): string {
  return env_file === undefined ? '.durant.env' : env_target.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
}

/** `$NAME`, or a 1Password reference `$op://vault/item/field`. */
const REFERENCE = /^\$([A-Za-z_][A-Za-z0-9_.-]*|op:\/\/.+)$/;

/**
 * Reads `env_file` and looks its references up, and adds `env` of the stage, which counts more, as it does for commands; undefined where the
 * releases have no environment file. What it finds is hidden from every output.
 * @throws {DurantError} `config-invalid` for a file that is missing or cannot be written alike for all its readers; `unresolved-value`
 * and `local-tool-missing` as `lookUpSecrets`.
 */
export async function resolveEnvironment(run: Run): Promise<ReleaseEnvironment | undefined> {
  const { settings, request } = run;
  if (!hasEnvironment(request)) return undefined;
  const { env_file: file, env } = settings;
  const { written, references } =
    file === undefined ? { written: {}, references: [] } : await readEnvironment(run, file);
  const found = await lookUpSecrets(
    settings.secrets,
    references,
    settings.secrets_password_env,
    secretsIo(run),
  );
  const looked = Object.entries(written).map(
    ([name, value]) => [name, found.get(referenceIn(value) ?? '') ?? value] as const,
  );
  const values = { ...Object.fromEntries(looked), ...env };
  const lookedUp = Object.keys(values).filter((name) =>
    Object.hasOwn(env, name)
      ? request.secrets.includes(env[name] ?? '')
      : referenceIn(written[name] ?? '') !== undefined,
  );
  run.addSecrets(secretValues(values, lookedUp));
  return {
    values,
    lookedUp,
    text: writeEnvText(values, (name) => (Object.hasOwn(env, name) ? 'env' : 'env_file')),
    digest: digestOf(values, settings, request.stage),
  };
}

/** `resolve`: the values of `env_file`, before anything is contacted: what is missing ends the run here. */
export async function resolveSecrets(run: Run): Promise<void> {
  if (!hasEnvironment(run.request)) return;
  run.environment = await localStep(run, 'resolve', () => resolveEnvironment(run));
}

/**
 * Looks at `env_file` as far as that unlocks no vault: what the environment and the editor give is looked up, of a password manager only
 * whether it could be asked.
 * @returns what was found, in words, without a value.
 * @throws {DurantError} as `resolveEnvironment`.
 */
export async function assessEnvironment(run: Run, shown: string): Promise<string> {
  const { settings } = run;
  const { written, references } = await readEnvironment(run, shown);
  const count = Object.keys(written).length;
  const variables = `${shown}: ${count} ${count === 1 ? 'variable' : 'variables'}`;
  if (references.length === 0 || settings.secrets === 'system' || settings.secrets === 'editor') {
    await resolveEnvironment(run);
    return `${variables}, ${references.length} looked up`;
  }
  const where = await assertAdapter(settings.secrets, settings.secrets_password_env, secretsIo(run));
  // What the others become is not known: their names have to be writable, too.
  writeEnvText(
    Object.fromEntries(
      Object.entries(written).map(([name, value]) => [
        name,
        referenceIn(value) === undefined ? value : 'looked up',
      ]),
    ),
  );
  return `${variables}, ${references.length} to look up by ${where}, which was not asked`;
}

async function readEnvironment(
  { host, request }: Run,
  shown: string,
): Promise<{ readonly written: Readonly<Record<string, string>>; readonly references: readonly string[] }> {
  const file = resolve(dirname(request.file), expandLocalPath(shown, host.env));
  const text = await readText(file, shown);
  const odd = lineOfNothing(text);
  if (odd !== undefined)
    throw new DurantError(
      'config-invalid',
      `env_file: ${shown} line ${String(odd)} has no "=", so it sets nothing.`,
      { remedy: 'Write NAME=value, or # before it.' },
    );
  const written = parse(text);
  return { written, references: Object.values(written).flatMap((value) => referenceIn(value) ?? []) };
}

/** dotenv's own pattern of an assignment, which may go over several lines in quotes. */
const ASSIGNMENT =
  /^[^\S\n]*(?:export\s+)?[\w.-]+(?:\s*=\s*?|:\s+?)(?:\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?[^\S\n]*(?:#.*)?$/gm;

/** The first line, from 1, that is neither part of an assignment nor blank nor a comment: dotenv passes over it without a word. */
function lineOfNothing(text: string): number | undefined {
  const rest = text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(ASSIGNMENT, (assignment) => assignment.replaceAll(/[^\n]/g, ''));
  const at = rest.split('\n').findIndex((line) => !/^\s*(?:#.*)?$/.test(line));
  return at < 0 ? undefined : at + 1;
}

function referenceIn(value: string): string | undefined {
  return REFERENCE.exec(value)?.[1];
}

function secretsIo({ local, host, settings, addSecrets, signal }: Run): SecretsIo {
  return { local, env: host.env, stageEnv: settings.env, prompt: host.prompt, addSecrets, signal };
}

/** Those of an environment's values that no output may show: looked up, of a name that says so, or the password of a URL. */
export function secretValues(
  values: Readonly<Record<string, string>>,
  lookedUp: readonly string[],
): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    lookedUp.includes(name) || namesSecret(name) ? [value] : urlPasswords(value),
  );
}

async function readText(file: string, shown: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new DurantError('config-invalid', `env_file: ${shown} cannot be read on this machine (${why}).`, {
      remedy: 'Create it beside durant.conf, or correct the path.',
      cause: error,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DurantError('config-invalid', `env_file: ${shown} is not UTF-8.`, {
      remedy: 'Save it as UTF-8.',
      cause: error,
    });
  }
}

function digestOf(values: Readonly<Record<string, string>>, settings: Settings, stage: string): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  const salt = `durant env ${stage} ${settings.project_dir}`;
  return scryptSync(JSON.stringify(sorted), salt, 32, { N: 4096 }).toString('hex');
}
