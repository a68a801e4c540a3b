/** Looks secrets up where `secrets` says: environment variables, Bitwarden, 1Password, Doppler (each by its own CLI), or the editor. */
import { secretFromEnvironment } from '../../config/values/resolvers.ts';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection, Prompter } from '../../remote/target.ts';
import { exports, lastLines } from '../run/script.ts';

export type SecretsAdapter = 'system' | 'bitwarden' | '1password' | 'doppler' | 'editor';

/** What a look-up needs from outside. */
export interface SecretsIo {
  /** This machine, where the CLIs run. */
  readonly local: Connection;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `env` of the stage: the CLIs see it too. */
  readonly stageEnv: Readonly<Record<string, string>>;
  readonly prompt: Prompter;
  /** Told each text that no output may show, before it can turn up in one. */
  readonly addSecrets: (secrets: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** One secret by its reference. */
type LookUp = (reference: string) => Promise<string>;

/**
 * Looks all references up, in parallel, each once.
 * @param passwordEnv `secrets_password_env`.
 * @throws {DurantError} `local-tool-missing` before any look-up; `unresolved-value`, naming the reference; `cancelled`.
 */
export async function lookUpSecrets(
  adapter: SecretsAdapter,
  references: readonly string[],
  passwordEnv: string | undefined,
  io: SecretsIo,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(references)];
  if (wanted.length === 0) return new Map();
  const lookUp = await openAdapter(adapter, passwordEnv, io);
  const found = await Promise.allSettled(wanted.map(lookUp));
  const values = new Map<string, string>();
  for (const [index, result] of found.entries()) {
    if (result.status === 'rejected') throw result.reason;
    io.addSecrets([result.value]);
    values.set(wanted[index] ?? '', result.value);
  }
  return values;
}

/** Adapters that ask a program of this machine: its name, and what it is. */
const PROGRAMS: Readonly<Partial<Record<SecretsAdapter, readonly [program: string, what: string]>>> = {
  bitwarden: ['bw', "Bitwarden's CLI"],
  '1password': ['op', "1Password's CLI"],
  doppler: ['doppler', "Doppler's CLI"],
};

/**
 * What can be known to fail before anything is unlocked or asked for.
 * @returns what would be asked, in words.
 * @throws {DurantError} `local-tool-missing`; `unresolved-value` where nothing can open a locked vault.
 */
export async function assertAdapter(
  adapter: SecretsAdapter,
  passwordEnv: string | undefined,
  io: SecretsIo,
): Promise<string> {
  const [program, what] = PROGRAMS[adapter] ?? [];
  if (program === undefined || what === undefined) return adapter === 'system' ? 'the environment' : adapter;
  await assertProgram(program, what, io);
  if (adapter === 'bitwarden') bitwardenKey(passwordEnv, io);
  return `${what} (${program})`;
}

async function openAdapter(
  adapter: SecretsAdapter,
  passwordEnv: string | undefined,
  io: SecretsIo,
): Promise<LookUp> {
  await assertAdapter(adapter, passwordEnv, io);
  switch (adapter) {
    case 'system':
      return async (name) => fromEnvironment(name, io);
    case 'editor':
      return (name) => fromEditor(name, io);
    case 'bitwarden': {
      const session = await unlockBitwarden(passwordEnv, io);
      return (name) => ask('bw', ['get', 'password', name, '--raw', '--nointeraction'], name, io, session);
    }
    case '1password':
      return (reference) => ask('op', ['read', '--no-newline', reference], reference, io);
    case 'doppler':
      return (name) => ask('doppler', ['secrets', 'get', name, '--plain'], name, io);
  }
}

function fromEnvironment(name: string, { env, stageEnv }: SecretsIo): string {
  const value = stageEnv[name] ?? (Object.hasOwn(env, name) ? env[name] : undefined);
  if (value === undefined)
    throw new DurantError(
      'unresolved-value',
      `env_file needs the environment variable ${name}, which is not set.`,
      { remedy: 'Set it, or choose another way to look secrets up with secrets.' },
    );
  return value;
}

async function fromEditor(name: string, { env, prompt, signal }: SecretsIo): Promise<string> {
  const value =
    secretFromEnvironment(name, env) ??
    (await prompt({ kind: 'secret', server: null, message: `The secret ${name}`, name }, signal));
  if (value === undefined)
    throw new DurantError('unresolved-value', `env_file needs the secret ${name}, which is not stored.`, {
      remedy: `Store it in the editor, or set DURANT_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}.`,
    });
  return value;
}

/** What opens the vault: an open session, or the variable that holds its password. @throws {DurantError} `unresolved-value`. */
function bitwardenKey(
  passwordEnv: string | undefined,
  { env, stageEnv }: SecretsIo,
):
  | { readonly session: string }
  | { readonly session: undefined; readonly variable: string; readonly password: string } {
  const session = stageEnv['BW_SESSION'] ?? env['BW_SESSION'];
  if (session !== undefined && session !== '') return { session };
  if (passwordEnv === undefined)
    throw new DurantError('unresolved-value', 'The Bitwarden vault is locked.', {
      remedy:
        'Unlock it in this shell (export BW_SESSION="$(bw unlock --raw)"), or name the variable that holds its password with secrets_password_env.',
    });
  const password = stageEnv[passwordEnv] ?? env[passwordEnv];
  if (password === undefined || password === '')
    throw new DurantError(
      'unresolved-value',
      `The Bitwarden vault is locked, and the variable ${passwordEnv} that secrets_password_env names is not set.`,
      { remedy: 'Set it, or unlock the vault in this shell (BW_SESSION).' },
    );
  return { session: undefined, variable: passwordEnv, password };
}

/** The variables that later calls of `bw` need. The password travels in the environment, as `bw` wants it, never in an argument. */
async function unlockBitwarden(
  passwordEnv: string | undefined,
  io: SecretsIo,
): Promise<Readonly<Record<string, string>>> {
  const key = bitwardenKey(passwordEnv, io);
  if (key.session !== undefined) {
    io.addSecrets([key.session]);
    return { BW_SESSION: key.session };
  }
  const { variable, password } = key;
  io.addSecrets([password]);
  const result = await runProgram(
    'bw',
    ['unlock', '--raw', '--nointeraction', '--passwordenv', variable],
    io,
    { [variable]: password },
  );
  const session = result.stdout.trim();
  if (result.status !== 0 || session === '')
    throw new DurantError('unresolved-value', `bw could not unlock the vault: ${saidBy(result)}.`, {
      remedy: `Check the variable ${variable}, and that you are logged in (bw login).`,
    });
  io.addSecrets([session]);
  // A vault that cannot be reached still has what it had.
  await runProgram('bw', ['sync', '--nointeraction'], io, { BW_SESSION: session });
  return { BW_SESSION: session };
}

async function ask(
  program: string,
  args: readonly string[],
  reference: string,
  io: SecretsIo,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const result = await runProgram(program, args, io, env);
  if (result.status !== 0)
    throw new DurantError(
      'unresolved-value',
      `${program} could not give ${reference}, which env_file needs: ${saidBy(result)}.`,
      { remedy: `Check its name and that ${program} is logged in.` },
    );
  return result.stdout.replace(/\r?\n$/, '');
}

async function assertProgram(program: string, what: string, io: SecretsIo): Promise<void> {
  const { status } = await io.local.exec({
    script: `${exports(io.stageEnv)}\ncommand -v ${program} >/dev/null 2>&1`,
    signal: io.signal,
  });
  if (status !== 0)
    throw new DurantError('local-tool-missing', `${what} (${program}) is not on the PATH of this machine.`, {
      remedy: 'Install it and log in, or choose another way to look secrets up with secrets.',
    });
}

async function runProgram(
  program: string,
  args: readonly string[],
  io: SecretsIo,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const { status, stdout, stderr } = await io.local.exec({
    script: `${exports({ ...io.stageEnv, ...env })}\nexec ${[program, ...args].map(quote).join(' ')}`,
    signal: io.signal,
  });
  return { status, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
}

function saidBy({ status, stderr }: { readonly status: number; readonly stderr: string }): string {
  const said = lastLines(stderr, 3);
  return said === '' ? `it ended with exit status ${status}` : said.replace(/\.$/, '');
}
