/** One git process through simple-git: bytes in and out, no hooks, no questions, ended by the signal. */
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { GitConstructError, GitPluginError, simpleGit, type SimpleGitOptions } from 'simple-git';
import { platform } from '../platform.ts';
import { bug, DurantError, reasonOf, throwIfCancelled } from '../errors.ts';

/** What all git processes of a clone share. */
export interface GitContext {
  readonly binary: string;
  /** From `gitEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** `key=value` for `-c`, besides `SAFE_CONFIG`. No secrets: they are visible to other users. */
  readonly config: readonly string[];
  readonly signal: AbortSignal;
}

export interface GitCall {
  /** Working directory. Git never looks for a repository above it. */
  readonly directory: string;
  readonly args: readonly string[];
  readonly config?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: Buffer;
  /** `remote`: may start ssh, whose master connection may keep our pipes open after git has ended. */
  readonly reach?: 'local' | 'remote';
}

/** Git ran and failed. Never leaves src/git: its text may hold secrets. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';
}

/** No code of the repository or of the user's configuration runs, nothing runs on after git has ended. */
const SAFE_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.longpaths=true',
  'log.showSignature=false',
  'protocol.ext.allow=never',
  'protocol.fd.allow=never',
  'gc.auto=0',
  'maintenance.auto=false',
];

/** For the repositories that are ours: what is checked out is the same on every machine. */
export const CLONE_CONFIG = [
  'core.autocrlf=false',
  'core.eol=lf',
  'core.attributesFile=/dev/null',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'advice.detachedHead=false',
  // One pack for each fetch: it appears whole or not at all, whereas single objects of an interrupted fetch would stay.
  'fetch.unpackLimit=1',
];

/**
 * simple-git guards against arguments, configuration and environment that somebody smuggled in. Here they are the ones
 * above, and the user's own for ssh, credentials and proxies; what comes from durant.conf is checked in repository.ts.
 */
const PERMITTED: NonNullable<Partial<SimpleGitOptions>['unsafe']> = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeCustomBinary: true,
  allowUnsafeExec: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
  allowUnsafeAlias: true,
  allowUnsafeEditor: true,
  allowUnsafePager: true,
  allowUnsafePack: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeMergeDriver: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeCommandBinaries: true,
};

/** How long a cancelled git may take to tidy up before it is left to itself, in ms. */
const CANCEL_GRACE_MS = 2000;
/** How long pipes may stay open after a git that talked to a remote has ended, in ms. */
const PIPES_GRACE_MS = 1000;

/**
 * Runs git and gives its standard output as bytes (simple-git's own results are decoded as UTF-8, which loses file names).
 *
 * @throws {GitFailure} With what git said.
 * @throws {DurantError} `cancelled`, `git-missing`.
 */
export async function runGit(context: GitContext, call: GitCall): Promise<Buffer> {
  const { signal } = context;
  throwIfCancelled(signal);
  const env = {
    ...context.env,
    GIT_CEILING_DIRECTORIES: dirname(call.directory),
    ...call.env,
  };
  const chunks: Buffer[] = [];
  const options: Partial<SimpleGitOptions> = {
    baseDir: call.directory,
    maxConcurrentProcesses: 1,
    trimmed: false,
    binary: context.binary,
    abort: signal,
    config: [...SAFE_CONFIG, ...context.config, ...(call.config ?? [])],
    unsafe: PERMITTED,
    allowEnvironment: Object.keys(env),
    completion: { onClose: true, onExit: call.reach === 'remote' ? PIPES_GRACE_MS : false },
    // simple-git takes a git that was killed, or that failed without a word, for a success.
    errors: (error, result) =>
      error instanceof Error ? error : result.exitCode === 0 ? undefined : Buffer.concat(result.stdErr),
    ...(call.input === undefined ? {} : { input: () => call.input }),
  };
  try {
    const git = simpleGit(options)
      .env(env)
      .outputHandler((_command, stdout) => {
        stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      });
    await endedOrCancelled(git.raw([...call.args]), signal);
    return Buffer.concat(chunks);
  } catch (error) {
    throwIfCancelled(signal);
    throw understood(error, context.binary);
  }
}

/** As `runGit`, as text: UTF-8 for people, or `latin1` where names are bytes. */
export async function gitText(
  context: GitContext,
  call: GitCall,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<string> {
  return (await runGit(context, call)).toString(encoding);
}

/** As `gitText`, undefined where git fails. */
export async function gitTextIfAny(context: GitContext, call: GitCall): Promise<string | undefined> {
  try {
    return await gitText(context, call);
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

function understood(error: unknown, binary: string): Error {
  if (error instanceof GitConstructError) return new GitFailure('not a git repository: no such folder');
  if (error instanceof GitPluginError) return bug(`git was not run: ${error.message}.`);
  const message = reasonOf(error);
  if (/spawn .*(ENOENT|EACCES)/.test(message)) return gitMissing(binary);
  return new GitFailure(message.trim() === '' ? 'git was ended from outside' : message.trim());
}

function gitMissing(binary: string): DurantError {
  return new DurantError('git-missing', `git was not found (looked for ${binary}).`, {
    remedy: 'Install git and make sure that it is on the PATH.',
  });
}

/** The task, or a rejection some time after the signal: what git has started may outlive it and hold its pipes. */
async function endedOrCancelled(task: PromiseLike<unknown>, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const graceIsOver = new Promise<void>((resolve) => {
    onAbort = () => {
      timer = setTimeout(resolve, CANCEL_GRACE_MS);
    };
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([task, graceIsOver]);
    throwIfCancelled(signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}

/**
 * The program to run, found without running it.
 *
 * @throws {DurantError} `git-missing`.
 */
export async function findGit(
  gitPath: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const wanted = gitPath ?? 'git';
  const found = await findProgram(wanted, env);
  if (found === undefined) throw gitMissing(wanted);
  return found;
}

/** Where a program is, by the PATH of `env`; undefined where it is not. */
export async function findProgram(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const path = Object.entries(env).find(([key]) => key.toUpperCase() === 'PATH')?.[1] ?? '';
  const folders = isAbsolute(name) ? [''] : path.split(delimiter).filter((folder) => folder !== '');
  const endings = platform.programEndings;
  for (const folder of folders)
    for (const ending of endings) {
      const file = folder === '' ? `${name}${ending}` : join(folder, `${name}${ending}`);
      try {
        await access(file, constants.X_OK);
        return file;
      } catch {
        // Not there: the next one.
      }
    }
  return undefined;
}
