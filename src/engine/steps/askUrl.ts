/** A URL asked for on a server, or on this machine: what its own web server answers to visitors. */
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { caddyAuthority } from '../app/caddyAuthority.ts';
import type { Host } from '../ports.ts';
import { probe, type ProbeAnswer } from './httpProbe.ts';

export interface Asking {
  /** Where to ask from; undefined: this machine. */
  readonly connection: Connection | undefined;
  readonly timeoutMs: number;
  readonly sleep: Host['sleep'];
  readonly signal: AbortSignal;
}

/** Between two handshakes with a server that is getting its certificate, in ms. */
const CERTIFICATE_PAUSE_MS = 1_000;

/**
 * What is wrong with the answer, in words; undefined where it is 200 to 299. A redirect to https of the same host, as proxies make it, is
 * followed, others are not. A first certificate is waited for within the time of the check; one of the server's own Caddy is trusted.
 * @throws {DurantError} `cancelled`, `connection-lost`.
 */
export async function wrongWith(url: string, asking: Asking): Promise<string | undefined> {
  const until = performance.now() + asking.timeoutMs;
  let asked = url;
  let authority: string | undefined;
  for (;;) {
    const timeoutMs = Math.max(1, Math.round(until - performance.now()));
    const answer = await askOnce(asked, { ...asking, timeoutMs }, authority);
    const by = asked === url ? '' : ` (by ${asked})`;
    if ('status' in answer) {
      const { status, location } = answer;
      if (status >= 200 && status < 300) return undefined;
      const next = location === undefined ? undefined : new URL(location, asked);
      if (status < 300 || status > 399 || next === undefined) return `answered ${status}${by}`;
      if (!isUpgrade(new URL(asked), next))
        return `answered ${status}${by} and leads to ${next.href}, which is not followed. Ask for the address that answers itself.`;
      asked = next.href;
      continue;
    }
    const left = until - performance.now();
    if (answer.certificate === 'untrusted' && authority === undefined && asking.connection !== undefined) {
      authority = await caddyAuthority(asking.connection, asking.signal);
      if (authority !== undefined) continue;
    }
    if (answer.certificate !== 'not yet' || left <= CERTIFICATE_PAUSE_MS)
      return `did not answer (${answer.why})${by}`;
    await asking.sleep(CERTIFICATE_PAUSE_MS, asking.signal);
  }
}

function isUpgrade(from: URL, to: URL): boolean {
  return from.protocol === 'http:' && to.protocol === 'https:' && from.hostname === to.hostname;
}

async function askOnce(
  url: string,
  { connection, timeoutMs, signal }: Asking,
  authority: string | undefined,
): Promise<ProbeAnswer> {
  if (connection === undefined) return probe(url, { timeoutMs, signal });
  const { hostname, port, protocol } = new URL(url);
  const literal = isAddress(hostname) ? hostname.replace(/^\[|\]$/g, '') : '127.0.0.1';
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  let stream;
  try {
    stream = await within(timeoutMs, connection.forward(literal, number));
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
    return { why: error.message };
  }
  if (stream === 'late') return { why: `nothing within ${timeoutMs / 1000} s` };
  if (stream !== undefined) return probe(url, { timeoutMs, signal, stream, authority });
  return askWithTool(connection, url, { number, hostname, timeoutMs, signal, authority });
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
  connection: Connection,
  url: string,
  to: {
    readonly number: number;
    readonly hostname: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly authority: string | undefined;
  },
): Promise<ProbeAnswer> {
  const seconds = Math.max(1, Math.ceil(to.timeoutMs / 1000));
  const connect = isAddress(to.hostname)
    ? ''
    : `--connect-to ${quote(`${to.hostname}:${to.number}:127.0.0.1:${to.number}`)} `;
  const plain = isAddress(to.hostname) ? url : url.replace(to.hostname, '127.0.0.1');
  const [trust, given] =
    to.authority === undefined ? ['', ''] : ['--cacert /dev/stdin ', `printf %s ${quote(to.authority)} | `];
  const result = await connection.exec({
    script: `if command -v curl >/dev/null 2>&1; then ${given}curl -sS -o /dev/null -m ${seconds} ${trust}${connect}-w '%{http_code} %{redirect_url}' ${quote(url)}
else wget -q -S -O /dev/null -T ${seconds} --max-redirect=0 --header ${quote(`Host: ${to.hostname}`)} ${quote(plain)} 2>&1 | awk '$1 ~ /^HTTP/ && !s { s=$2 } tolower($1) == "location:" { l=$2 } END { print s, l }'; fi`,
    signal: to.signal,
  });
  const [status = '', location = ''] = result.stdout.toString('utf8').trim().split(' ');
  if (/^[1-5]\d\d$/.test(status))
    return { status: Number(status), location: location === '' ? undefined : location, text: '' };
  const why = result.stderr.toString('utf8').trim() || 'no answer';
  if (/alert internal error/.test(why)) return { why, certificate: 'not yet' };
  return /SSL certificate problem: (self.signed certificate in|unable to get)/i.test(why)
    ? { why, certificate: 'untrusted' }
    : { why };
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
    `Cannot run the HTTP check on ${entry}: its sshd forwards no ports and it has neither curl nor wget.`,
    { remedy: 'Install curl there, or use a command.', server: entry },
  );
}

function isAddress(hostname: string): boolean {
  return /^\[.*\]$/.test(hostname) || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
