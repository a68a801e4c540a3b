/** The authority that a server's Caddy signs with by itself, where no public one does (`tls internal`, `local_certs`, names like shop.test). */
import { asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { probe } from '../steps/httpProbe.ts';
import { CADDY_FOLDER } from './manager.ts';

/** Caddy's own words for where its API listens, unless the Caddyfile says something else. */
const ADMIN = 'localhost:2019';
const PATIENCE_MS = 5_000;

/**
 * Its root certificate in PEM, from Caddy's API on the server, which is asked through the connection; undefined where there is none to be had.
 * @throws {DurantError} `cancelled`, `connection-lost`.
 */
export async function caddyAuthority(
  connection: Connection,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { stdout } = await connection.exec({
    script: `sed -n 's/^[[:space:]]*admin[[:space:]]\\{1,\\}\\([^[:space:]{]*\\).*/\\1/p' ${CADDY_FOLDER}/Caddyfile 2>/dev/null | head -n 1`,
    signal,
  });
  const said = stdout.toString('utf8').trim();
  const listens = said === '' ? ADMIN : said;
  const place = /^([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):(\d+)$/i.exec(listens);
  if (place === null) return undefined;
  const url = `http://${listens}/pki/ca/local`;
  try {
    const stream = await connection.forward((place[1] ?? '').replace(/^\[|\]$/g, ''), Number(place[2]));
    if (stream === undefined) return await byCurl(connection, url, signal);
    const answer = await probe(url, { timeoutMs: PATIENCE_MS, signal, stream, body: 'read' });
    return 'status' in answer && answer.status === 200 ? rootIn(answer.text) : undefined;
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled' || error.code === 'connection-lost') throw error;
    return undefined;
  }
}

async function byCurl(connection: Connection, url: string, signal: AbortSignal): Promise<string | undefined> {
  const { stdout } = await connection.exec({
    script: `curl -sSf -m ${PATIENCE_MS / 1000} ${quote(url)} 2>/dev/null || :`,
    signal,
  });
  return rootIn(stdout.toString('utf8'));
}

function rootIn(json: string): string | undefined {
  try {
    const found: unknown = JSON.parse(json);
    if (typeof found !== 'object' || found === null || !('root_certificate' in found)) return undefined;
    const { root_certificate: root } = found;
    return typeof root === 'string' && root.includes('BEGIN CERTIFICATE') ? root : undefined;
  } catch {
    return undefined;
  }
}
