/** Runs the CLI as a user would: own home, in this process or one of its own, optionally on a terminal. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quote } from '../../src/remote/shell.ts';
import { runCliHere } from './cliHere.ts';
import { endProcesses, processesWithEnvironment, runEnvironment, type FoundProcess } from './processes.ts';
import { removeTree } from './remove.ts';
import { writeSshForServers, type TestServer } from './sshd.ts';
import { waitFor } from './wait.ts';

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const mark = 'DURANT_TEST_CLI';

/** A user of the CLI: a home of their own and, where servers are given, an `ssh` that knows and enters them. */
export interface CliHome {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Makes `env` this process's environment until the function that it gives is called. */
  enter(env: NodeJS.ProcessEnv): () => void;
  /** Processes that the user's commands left running. */
  leftovers(): Promise<readonly FoundProcess[]>;
  /** Waits until there are none: what was killed is there until the machine has time for its end. */
  quiet(): Promise<void>;
  /** Ends leftovers and removes the home. */
  remove(): Promise<void>;
}

export interface CliOptions {
  readonly home: CliHome;
  /** The project's folder. */
  readonly cwd: string;
  /** Added to the home's environment; undefined removes. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; default empty. Without effect on a terminal: use `type`. */
  readonly input?: string;
  /** `terminal`: on a pseudo-terminal of 120 × 40, where both outputs are one (`stdout`). Default `plain`. */
  readonly on?: 'plain' | 'terminal';
}

/** An event or object that `--json` printed. */
export type JsonLine = Readonly<Record<string, unknown>>;

export interface CliResult {
  /** Exit status; 128 + number where a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output that are JSON objects. */
  readonly events: readonly JsonLine[];
}

export interface CliRun {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** What was printed so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves when either output matches (default timeout 60 s). Rejects when the run ends without. */
  waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Resolves with the first event that `matches`. */
  waitForEvent(matches: (event: JsonLine) => boolean, timeoutMs?: number): Promise<JsonLine>;
  /** Writes to standard input, on a terminal as if typed. */
  type(text: string): void;
  /** Ctrl+C: SIGINT to the whole process group, as a terminal does it. */
  interrupt(): void;
  /** SIGKILL to the CLI's process alone. */
  kill(): void;
}

/** Makes a user; `servers` are those that their ssh knows the host keys of and has a key for. */
export async function makeCliHome(servers: readonly TestServer[] = []): Promise<CliHome> {
  const directory = mkdtempSync(join(tmpdir(), 'durant-home-'));
  const id = randomBytes(8).toString('hex');
  const path = process.env['PATH'] ?? '';
  const bin =
    servers.length === 0 ? undefined : (await writeSshForServers(join(directory, 'ssh'), servers)).bin;
  const env: NodeJS.ProcessEnv = {
    ...runEnvironment(),
    PATH: bin === undefined ? path : `${bin}:${path}`,
    HOME: directory,
    XDG_CONFIG_HOME: join(directory, '.config'),
    XDG_CACHE_HOME: join(directory, '.cache'),
    XDG_DATA_HOME: join(directory, '.local/share'),
    XDG_STATE_HOME: join(directory, '.local/state'),
    TMPDIR: tmpdir(),
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    USER: process.env['USER'] ?? 'tester',
    GIT_CONFIG_NOSYSTEM: '1',
    [mark]: id,
  };
  let inside = 0;
  let outer: NodeJS.ProcessEnv = {};
  const enter = (inner: NodeJS.ProcessEnv) => {
    if (inside === 0) {
      assert.equal(process.env[mark], undefined, 'Another user runs the CLI here: start it as a process.');
      outer = { ...process.env };
      setEnvironment(inner);
    } else
      assert.deepEqual({ ...process.env }, definedOf(inner), 'The CLI runs here with another environment.');
    inside += 1;
    return () => {
      inside -= 1;
      if (inside === 0) setEnvironment(outer);
    };
  };
  const leftovers = () => processesWithEnvironment(mark, id);
  const quiet = () =>
    waitFor('what the commands started to end', async () => (await leftovers()).length === 0).then(
      () => undefined,
      async () => assert.deepEqual(await leftovers(), []),
    );
  const remove = async () => {
    await waitFor('the processes of the CLI to end', async () => {
      const left = await leftovers();
      endProcesses(left);
      return left.length === 0;
    });
    removeTree(directory);
  };
  return { directory, env, enter, leftovers, quiet, remove };
}

/**
 * Runs the CLI to its end: in this process, or in one of its own where it gets a terminal or an input. What is about processes, signals
 * or several users at once takes `startCli`.
 */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const isPlain = options.on !== 'terminal' && options.input === undefined;
  return isPlain ? runCliHere(args, options) : startCli(args, options).result;
}

/** Starts the CLI bundle as a process. */
export function startCli(args: readonly string[], options: CliOptions): CliRun {
  const command = [process.execPath, cliBundle(), ...args];
  const terminal = options.on === 'terminal';
  const line = `stty cols 120 rows 40; exec ${command.map(quote).join(' ')}`;
  const [program = '', ...rest] = terminal ? ['script', '-qfec', line, '/dev/null'] : command;
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...options.home.env, ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  if (!terminal) child.stdin.end(options.input ?? '');
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  const output = () => ({
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  });
  let ended = false;
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      ended = true;
      resolve(cliResult(status ?? 128 + signalNumber(signal), output()));
    });
  });
  const waitForIt = <T>(what: string, find: () => T | undefined, timeoutMs = 60_000) =>
    waitFor(
      what,
      () => {
        const found = find();
        if (found !== undefined) return found;
        const { stdout, stderr } = output();
        if (ended) throw new Error(`The CLI ended without ${what}:\n${stdout}\n${stderr}`);
        return undefined;
      },
      timeoutMs,
    );
  return {
    child,
    result,
    output,
    waitForOutput: (pattern, timeoutMs) =>
      waitForIt(
        `output like ${pattern}`,
        () => pattern.exec(output().stdout) ?? pattern.exec(output().stderr) ?? undefined,
        timeoutMs,
      ),
    waitForEvent: (matches, timeoutMs) =>
      waitForIt('that event', () => jsonLines(output().stdout).find(matches), timeoutMs),
    type: (text) => void child.stdin.write(text),
    interrupt: () => {
      if (terminal) child.stdin.write('\x03');
      else if (child.pid !== undefined && !ended) process.kill(-child.pid, 'SIGINT');
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

export function cliResult(
  status: number,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): CliResult {
  return { status, stdout, stderr, events: jsonLines(stdout) };
}

/** Path of the CLI bundle, which whoever starts the tests has built. */
export function cliBundle(): string {
  return join(checkout, 'dist', 'cli.cjs');
}

function jsonLines(text: string): readonly JsonLine[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15, SIGHUP: 1 };
  return (signal && numbers[signal]) ?? 0;
}

function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, definedOf(env));
}

function definedOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
