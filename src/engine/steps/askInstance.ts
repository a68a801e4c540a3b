/** A URL asked of the application itself, past the proxy: before visitors are led to it, and where they get the maintenance page. */
import { asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { probe, type ProbeAnswer } from './httpProbe.ts';
import type { Asking } from './askUrl.ts';

type AskingThere = Pick<Asking, 'timeoutMs' | 'signal'> & {
  readonly connection: NonNullable<Asking['connection']>;
};

/**
 * What is wrong with the answer, in words; undefined where it is 200 to 299.
 * @param upstream as the proxy has it: `unix//path` or `host:port`.
 * @throws {DurantError} `cancelled`, `connection-lost`.
 */
export async function wrongWithInstance(
  url: string,
  upstream: string,
  asking: AskingThere,
): Promise<string | undefined> {
  const answer = upstream.startsWith('unix/')
    ? await askSocket(url, upstream.slice('unix/'.length), asking)
    : await askPort(url, upstream, asking);
  const by = ` (asked of ${upstream})`;
  if (!('status' in answer)) return `did not answer: ${answer.why}${by}`;
  return answer.status >= 200 && answer.status < 300 ? undefined : `answered ${answer.status}${by}`;
}

async function askPort(
  url: string,
  upstream: string,
  { connection, timeoutMs, signal }: AskingThere,
): Promise<ProbeAnswer> {
  const [, host = '', port = ''] = /^(?:https?:\/\/)?(.+):(\d+)$/.exec(upstream) ?? [];
  try {
    const stream = await connection.forward(host, Number(port));
    const headers = { 'x-forwarded-proto': schemeOf(url) };
    if (stream !== undefined) return await probe(plainUrl(url), { timeoutMs, signal, stream, headers });
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
    return { why: error.message };
  }
  return askThere(
    curl(url, `--connect-to ${quote(`::${host}:${port}`)}`, timeoutMs),
    'there is no curl on the server, which could ask it',
    { connection, timeoutMs, signal },
  );
}

/** SSH forwards sockets only in some clients: curl asks there, else perl, which Debian and its relatives always have. */
function askSocket(url: string, path: string, asking: AskingThere): Promise<ProbeAnswer> {
  const { host, pathname, search } = new URL(plainUrl(url));
  const words = [path, `${pathname}${search}`, host, schemeOf(url)].map(quote).join(' ');
  const script = `${curl(url, `--unix-socket ${quote(path)}`, asking.timeoutMs)}
elif command -v perl >/dev/null 2>&1; then perl -MSocket -e ${quote(ASK_SOCKET)} ${seconds(asking.timeoutMs)} ${words}`;
  return askThere(script, 'there is neither curl nor perl on the server, which could ask it', asking);
}

const ASK_SOCKET = String.raw`$SIG{ALRM} = sub { die "no answer in time\n" }; alarm shift;
socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die "$!\n";
syswrite S, "GET $ARGV[1] HTTP/1.1\r\nHost: $ARGV[2]\r\nUser-Agent: durant\r\nX-Forwarded-Proto: $ARGV[3]\r\nConnection: close\r\n\r\n";
$_ = <S>; m{^HTTP/\S+ (\d+)} ? print $1 : die "no answer\n";`;

/** The proxy speaks plain HTTP to it, and says what visitors spoke. The head of an `if`. */
function curl(url: string, to: string, timeoutMs: number): string {
  return `if command -v curl >/dev/null 2>&1; then curl -sS -o /dev/null -m ${seconds(timeoutMs)} -H ${quote(`X-Forwarded-Proto: ${schemeOf(url)}`)} ${to} -w '%{http_code}' ${quote(plainUrl(url))}`;
}

async function askThere(
  script: string,
  otherwise: string,
  { connection, signal }: AskingThere,
): Promise<ProbeAnswer> {
  const result = await connection.exec({
    script: `${script}\nelse echo ${quote(otherwise)} >&2; exit 1; fi`,
    signal,
  });
  const status = Number(result.stdout.toString('utf8'));
  return result.status === 0 && status > 0
    ? { status, location: undefined, text: '' }
    : { why: result.stderr.toString('utf8').trim() || 'no answer' };
}

function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

function schemeOf(url: string): string {
  return new URL(url).protocol.replace(':', '');
}

function plainUrl(url: string): string {
  const { host, pathname, search } = new URL(url);
  return `http://${host.replace(/:\d+$/, '')}${pathname}${search}`;
}
