/** A URL asked of the application itself, past the proxy: where a page of the proxy's answers visitors meanwhile. */
import { asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { probe, type ProbeAnswer } from './httpProbe.ts';
import type { Asking } from './askUrl.ts';

/**
 * What is wrong with the answer, in words; undefined where it is 200 to 299.
 * @param upstream as the proxy has it: `unix//path` or `host:port`.
 * @throws {DurantError} `cancelled`, `connection-lost`.
 */
export async function wrongWithInstance(
  url: string,
  upstream: string,
  asking: Asking & { readonly connection: NonNullable<Asking['connection']> },
): Promise<string | undefined> {
  const answer = upstream.startsWith('unix/')
    ? await askSocket(url, upstream.slice('unix/'.length), asking)
    : await askPort(url, upstream, asking);
  const by = ` (asked of ${upstream}, as the site is in maintenance)`;
  if (!('status' in answer)) return `did not answer: ${answer.why}${by}`;
  return answer.status >= 200 && answer.status < 300 ? undefined : `answered ${answer.status}${by}`;
}

async function askPort(
  url: string,
  upstream: string,
  { connection, timeoutMs, signal }: Parameters<typeof wrongWithInstance>[2],
): Promise<ProbeAnswer> {
  const [, host = '', port = ''] = /^(?:https?:\/\/)?(.+):(\d+)$/.exec(upstream) ?? [];
  try {
    const stream = await connection.forward(host, Number(port));
    if (stream !== undefined) return await probe(plainUrl(url), { timeoutMs, signal, stream });
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
    return { why: error.message };
  }
  return askCurl(url, `--connect-to ${quote(`::${host}:${port}`)}`, { connection, timeoutMs, signal });
}

function askSocket(url: string, path: string, asking: Parameters<typeof askCurl>[2]): Promise<ProbeAnswer> {
  return askCurl(url, `--unix-socket ${quote(path)}`, asking);
}

/** The proxy speaks plain HTTP to it, and says what visitors spoke. */
async function askCurl(
  url: string,
  to: string,
  {
    connection,
    timeoutMs,
    signal,
  }: Pick<Parameters<typeof wrongWithInstance>[2], 'connection' | 'timeoutMs' | 'signal'>,
): Promise<ProbeAnswer> {
  const { protocol } = new URL(url);
  const result = await connection.exec({
    script: `command -v curl >/dev/null 2>&1 || { echo 'there is no curl on the server, which could ask it' >&2; exit 1; }
curl -sS -o /dev/null -m ${Math.max(1, Math.ceil(timeoutMs / 1000))} -H ${quote(`X-Forwarded-Proto: ${protocol.replace(':', '')}`)} ${to} -w '%{http_code}' ${quote(plainUrl(url))}`,
    signal,
  });
  const status = Number(result.stdout.toString('utf8'));
  return result.status === 0 && status > 0
    ? { status, location: undefined, text: '' }
    : { why: result.stderr.toString('utf8').trim() || 'no answer' };
}

function plainUrl(url: string): string {
  const { host, pathname, search } = new URL(url);
  return `http://${host.replace(/:\d+$/, '')}${pathname}${search}`;
}
