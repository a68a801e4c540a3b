/** `health_check`: after the switch, does the site answer? A failure here switches every server back. */
import { DurantError, asDurantError } from '../../errors.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { commandEnv, releaseFolder, runCommands, runHere, runsOn } from '../run/hooks.ts';
import { requestStatus } from './httpProbe.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import type { Step, StepContext } from '../run/step.ts';
import { checkServices, runsServices } from './services.ts';

const BETWEEN_TRIES_MS = 2_000;

export const healthCheck: Step<NamedRun> = {
  name: 'health_check',
  applies(run) {
    return run.settings.health_check.length > 0 || runsServices(run);
  },
  async assess({ run, server, signal }) {
    if (run.settings.health_check.some((check) => isUrl(check)))
      await assertCanAsk(server.connection, signal);
  },
  async look({ run }) {
    const asked = [...run.settings.health_check, ...(runsServices(run) ? ['systemd'] : [])];
    return { achieved: false, reason: `${asked.join(', ')} to be asked after the switch` };
  },
  async achieve(context) {
    await checkServices(context, 'once');
    try {
      await askAll(context);
    } catch (error) {
      // A service that has gone down says more than that nobody answers.
      if (!context.signal.aborted) await checkServices(context, 'once');
      throw error;
    }
    await checkServices(context, 'to the end');
  },
  commands(run) {
    return run.settings.health_check.filter((check) => !isUrl(parseCommand(check).command));
  },
};

async function askAll(context: StepContext<NamedRun>): Promise<void> {
  const { run, server } = context;
  const among = run.wave?.servers ?? run.servers;
  for (const item of run.settings.health_check) {
    const placed = parseCommand(item);
    if (placed.place === 'local') {
      if (server === among[0]) await tryCheck(context, item, placed.command, 'here');
    } else if (runsOn(placed, server, among)) await tryCheck(context, item, placed.command, 'server');
  }
}

/** Whether a check is asked for by HTTP, or runs as a command. */
export function isUrl(check: string): boolean {
  return /^https?:\/\//i.test(check);
}

async function tryCheck(
  context: StepContext<NamedRun>,
  item: string,
  check: string,
  from: 'here' | 'server',
): Promise<void> {
  const { run, server, signal } = context;
  const tries = run.settings.health_retries + 1;
  for (let attempt = 1; ; attempt++) {
    try {
      if (isUrl(check)) await askUrl(run, server, check, from, signal);
      else await runCheck(context, item, from);
      return;
    } catch (thrown) {
      const error = asDurantError(thrown);
      // Without the lock nothing is asked any more, and to ask nothing is not to pass.
      if (signal.aborted || ['cancelled', 'lock-lost'].includes(error.code)) throw error;
      if (attempt >= tries)
        throw error.with({
          code: 'health-check-failed',
          summary: `${error.summary} ${run.strategy.afterFailedCheck}`,
          server: server.address.entry,
        });
      run.emit({
        event: 'warning',
        code: 'health-check-retry',
        message: error.with({ summary: `${error.summary} Trying again (${attempt} of ${tries - 1}).` })
          .message,
        server: server.address.entry,
      });
      await run.host.sleep(BETWEEN_TRIES_MS, signal);
    }
  }
}

async function askUrl(
  run: Run,
  server: ServerRun,
  url: string,
  from: 'here' | 'server',
  signal: AbortSignal,
): Promise<void> {
  const timeoutMs = run.settings.health_timeout;
  const entry = from === 'here' ? 'this machine' : server.address.entry;
  const status =
    from === 'here'
      ? await requestStatus(url, { timeoutMs, signal })
      : await askFromServer(server, url, timeoutMs, signal);
  if (typeof status === 'number' && status >= 200 && status < 400) return;
  const answered = typeof status === 'number' ? `answered ${status}` : `did not answer (${status})`;
  throw new DurantError('health-check-failed', `Asked from ${entry}, ${url} ${answered}.`);
}

/** The status that the server's own web server answers with, or why there is none. */
async function askFromServer(
  server: ServerRun,
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | string> {
  const { hostname, port, protocol } = new URL(url);
  const literal = isAddress(hostname) ? hostname.replace(/^\[|\]$/g, '') : '127.0.0.1';
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  let stream;
  try {
    stream = await within(timeoutMs, server.connection.forward(literal, number));
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
    return error.message;
  }
  if (stream === 'late') return `nothing within ${timeoutMs / 1000} s`;
  if (stream !== undefined) return requestStatus(url, { timeoutMs, signal, stream });
  return askWithTool(server, url, { literal, number, hostname, timeoutMs, signal });
}

/** What is forwarded, or `late`; what comes after that is closed. */
async function within<T extends { destroy(): unknown } | undefined>(
  timeoutMs: number,
  work: Promise<T>,
): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  const first = await Promise.race([work, late]).finally(() => clearTimeout(timer));
  if (first === 'late')
    work.then(
      (stream) => stream?.destroy(),
      () => undefined,
    );
  return first;
}

/** Where the connection forwards nothing: curl there, else wget. */
async function askWithTool(
  server: ServerRun,
  url: string,
  to: {
    readonly literal: string;
    readonly number: number;
    readonly hostname: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<number | string> {
  const seconds = Math.max(1, Math.ceil(to.timeoutMs / 1000));
  const connect = isAddress(to.hostname)
    ? ''
    : `--connect-to ${quote(`${to.hostname}:${to.number}:127.0.0.1:${to.number}`)} `;
  const plain = isAddress(to.hostname) ? url : url.replace(to.hostname, '127.0.0.1');
  const result = await server.connection.exec({
    script: `if command -v curl >/dev/null 2>&1; then curl -sS -o /dev/null -m ${seconds} ${connect}-w '%{http_code}' ${quote(url)}
else wget -q -S -O /dev/null -T ${seconds} --header ${quote(`Host: ${to.hostname}`)} ${quote(plain)} 2>&1 | awk '$1 ~ /^HTTP/ { print $2; exit }'; fi`,
    signal: to.signal,
  });
  const status = Number(result.stdout.toString('utf8').trim());
  return Number.isInteger(status) && status >= 100
    ? status
    : result.stderr.toString('utf8').trim() || 'no answer';
}

/** @throws {DurantError} `tool-missing` where a URL cannot be asked for on the server. */
export async function assertCanAsk(connection: Connection, signal: AbortSignal): Promise<void> {
  // Which port does not matter: a refusal by what listens there, or by nothing, is an answer through the connection.
  const forwards = await connection.forward('127.0.0.1', 9).then(
    (stream) => {
      stream?.destroy();
      return stream !== undefined;
    },
    (error: unknown) => !signal.aborted && asDurantError(error).code !== 'connection-lost',
  );
  if (forwards) return;
  const result = await connection.exec({ script: 'command -v curl || command -v wget', signal });
  if (result.status === 0) return;
  const { entry } = connection.address;
  throw new DurantError(
    'tool-missing',
    `Cannot run the HTTP check on ${entry}: its sshd forwards no ports and it has neither curl nor wget. Install curl there, or use a command.`,
    { server: entry },
  );
}

async function runCheck(
  context: StepContext<NamedRun>,
  item: string,
  from: 'here' | 'server',
): Promise<void> {
  const { run, server } = context;
  const limit = AbortSignal.timeout(run.settings.health_timeout);
  const step = 'health_check';
  const signal = AbortSignal.any([context.signal, limit]);
  try {
    if (from === 'here')
      return await runHere(run, {
        step,
        command: parseCommand(item).command,
        env: commandEnv(run, server),
        signal,
      });
    await runCommands(run, server, {
      step,
      commands: [item],
      directory: releaseFolder(run, server),
      signal,
    });
  } catch (thrown) {
    if (!limit.aborted) throw thrown;
    throw new DurantError(
      'health-check-failed',
      `${item} did not end within ${run.settings.health_timeout / 1000} s on ${server.address.entry}.`,
    );
  }
}

function isAddress(hostname: string): boolean {
  return /^\[.*\]$/.test(hostname) || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
