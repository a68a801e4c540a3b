/** Runs the engine's own scripts and the user's commands on a server or here, and turns what fails into a sentence. */
import { DurantError, type ErrorCode } from '../../errors.ts';
import { diskFull, saysDiskFull } from '../../remote/diskFull.ts';
import type { Connection, RemoteCommand, RemoteResult } from '../../remote/target.ts';
import { quote, quotePath } from '../../remote/shell.ts';
import { outputLines } from './outputLines.ts';
import type { Run, ServerRun } from './run.ts';
import { READS_AHEAD } from '../server/lockScripts.ts';
import { REVERTED } from '../server/watcherScript.ts';

/** Adds a script to what the next round trip to this server runs first, in project_dir. */
export function defer(server: ServerRun, script: string): void {
  server.deferred.push(script);
}

/** Takes the deferred scripts, as one text that stops at the first failure; empty where there are none. */
export function takeDeferred(server: ServerRun): string {
  const scripts = server.deferred;
  server.deferred = [];
  return scripts.map((script) => `{\n${script}\n} || exit\n`).join('');
}

/** Sends what was deferred, if anything was. */
export async function flush(server: ServerRun, signal: AbortSignal): Promise<void> {
  if (server.deferred.length > 0) await runScript(server, ':', { signal });
}

/**
 * Runs an internal script in project_dir, after whatever was deferred.
 * @throws {DurantError} a sentence of its own for a full disk, missing permission and the like.
 */
export async function runScript(
  server: ServerRun,
  script: string,
  options: Pick<RemoteCommand, 'input' | 'onOutput'> & { readonly signal: AbortSignal },
): Promise<RemoteResult> {
  const { signal, input, onOutput } = options;
  const waiting = server.deferred;
  const enter = `LC_ALL=C; export LC_ALL\ncd ${quotePath(server.facts.project)} || exit 1\n`;
  let result: RemoteResult;
  try {
    result = await server.connection.exec({
      script: `${enter}${takeDeferred(server)}${script}`,
      signal,
      ...(input === undefined ? {} : { input }),
      ...(onOutput === undefined ? {} : { onOutput }),
    });
  } catch (error) {
    // Every deferred script may run twice; whoever reconnects finds them waiting again.
    if (server.ownLock.state !== 'lost') server.deferred = waiting;
    throw error;
  }
  if (result.status !== 0) throw serverFailure(server, result);
  return result;
}

/** What an internal script's failure means. */
export function serverFailure(server: Pick<ServerRun, 'address'>, result: RemoteResult): DurantError {
  const said = lastLines(result.stderr.toString('utf8'), 5);
  const name = server.address.entry;
  if (saysDiskFull(said)) return diskFull(name, said);
  const { code, summary, remedy, command } = explain(name, said);
  const isTold = code === 'reverted' || said.includes(READS_AHEAD);
  return new DurantError(code, summary, { remedy, command, server: name, output: isTold ? '' : said });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly summary: string;
  readonly remedy: string;
  readonly command?: string;
}

function explain(server: string, said: string): Meaning {
  if (said.includes(READS_AHEAD))
    return {
      code: 'tool-missing',
      summary: `The dd of ${server} reads more than it is asked to (uutils did before 0.0.18), so nothing can be sent there.`,
      remedy: 'Install GNU coreutils or a newer uutils there, then try again.',
    };
  if (said.includes(REVERTED))
    return {
      code: 'reverted',
      summary: `The dead man's switch of ${server} has put back what was live before, as this run did not confirm in time.`,
      remedy:
        'Give a step that may take long a limit (command_timeout), or write dead_man: no. See how it stands, then deploy again',
      command: 'durant status',
    };
  if (/Read-only file system/i.test(said))
    return {
      code: 'path-not-writable',
      summary: `The file system of project_dir on ${server} is read-only.`,
      remedy: 'Mount it writable, then try again.',
    };
  if (/Permission denied|Operation not permitted/i.test(said))
    return {
      code: 'permission-denied',
      summary: `The login user cannot write to project_dir on ${server}.`,
      remedy: 'Give it the folder (chown), then try again.',
    };
  const isMissing = /not found|No such file or directory/i.test(said);
  return {
    code: 'remote-command-failed',
    summary: `A step failed on ${server}${isMissing ? '; something it needs is missing there' : ''}.`,
    remedy: 'Fix the cause, then try again.',
  };
}

/** A command of the user's, where it runs, and for which step. */
export interface UserCommand {
  readonly step: string;
  readonly command: string;
  /** Folder it runs in. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** The server's entry; null: this machine. */
  readonly server: string | null;
  /** Script before it, with a line end. */
  readonly before?: string;
  readonly signal: AbortSignal;
}

/**
 * Runs one command of durant.conf through a shell, its output as events.
 * @throws {DurantError} `remote-command-failed` or `local-command-failed` with command, exit status and the last lines of its output.
 */
export async function runUserCommand(run: Run, connection: Connection, command: UserCommand): Promise<void> {
  run.emit({
    event: 'command',
    server: command.server,
    step: command.step,
    command: command.command,
    directory: command.directory,
  });
  const lines = outputLines(run.mask, (stream, line) =>
    run.emit({ event: 'output', server: command.server, stream, line }),
  );
  const timeout = run.settings.command_timeout;
  const result = await connection.exec({
    script: `${command.before ?? ''}cd ${quote(command.directory)} || exit 1\n${exports(command.env)}\n${command.command}`,
    signal: command.signal,
    onOutput: lines.write,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  });
  lines.end();
  if (result.status === 0) return;
  const where = command.server === null ? 'on this machine' : `on ${command.server}`;
  const said = lastLines(Buffer.concat([result.stdout, result.stderr]).toString('utf8'), 8);
  throw new DurantError(
    command.server === null ? 'local-command-failed' : 'remote-command-failed',
    `${command.step}: "${command.command}" ended with exit status ${result.status} ${where}.`,
    {
      remedy: 'Fix it, then deploy again.',
      server: command.server ?? undefined,
      output: said,
      data: { exitStatus: result.status },
    },
  );
}

/** `export` lines for a script; it travels through standard input, so values may be secret. */
export function exports(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${quote(value)}; export ${name}`)
    .join('\n');
}

/** The last lines of what a command said, without blank ones. */
export function lastLines(text: string, count: number): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
