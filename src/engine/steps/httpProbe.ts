/** One HTTP request that follows no redirect, optionally over a stream that is already open. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { cancelled } from '../../errors.ts';

export type ProbeAnswer =
  | {
      readonly status: number;
      /** Where a redirect leads, as the server wrote it. */
      readonly location: string | undefined;
      /** The body, where it was asked for. */
      readonly text: string;
    }
  | {
      /** Why no answer came. */
      readonly why: string;
      /** `untrusted`: nobody who is trusted signed the certificate; `not yet`: the server has none, and said so. */
      readonly certificate?: 'untrusted' | 'not yet';
    };

export interface Probe {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What to talk through; it is closed. */
  readonly stream?: Duplex | undefined;
  /** PEM of the authority that is trusted instead of the usual ones. */
  readonly authority?: string | undefined;
  readonly body?: 'read';
  readonly headers?: Readonly<Record<string, string>>;
}

const UNTRUSTED = new Set([
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);

/** Bytes of a body that are read. */
const MAX_BODY = 1_000_000;

/**
 * The answer to a GET. The URL's host is sent as Host and SNI, wherever the stream leads.
 * @throws {DurantError} `cancelled`.
 */
export function probe(url: string, options: Probe): Promise<ProbeAnswer> {
  const { timeoutMs, signal, stream, authority } = options;
  const secure = new URL(url).protocol === 'https:';
  const trust = authority === undefined ? {} : { ca: authority };
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const settle = (answer: ProbeAnswer): void => {
      stream?.destroy();
      if (signal.aborted) reject(cancelled());
      else resolve(answer);
    };
    const request = (secure ? requestHttps : requestHttp)(url, {
      signal: AbortSignal.any([signal, limit]),
      headers: { 'user-agent': 'durant', connection: 'close', ...options.headers },
      ...trust,
      ...(stream === undefined
        ? { agent: false }
        : {
            // Only used where there is no agent.
            createConnection: () =>
              secure ? connectTls({ socket: stream, ...trust, ...nameOf(url) }) : (stream as never),
          }),
    });
    request.once('response', (response) => {
      const { statusCode, headers } = response;
      const end = (text: string): void => {
        response.destroy();
        settle(
          statusCode === undefined
            ? { why: 'an answer without a status' }
            : { status: statusCode, location: headers.location, text },
        );
      };
      if (options.body === undefined) return end('');
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text = `${text}${piece}`.slice(0, MAX_BODY);
      });
      response.once('end', () => end(text));
    });
    // More than one may come, when both ends of the stream go.
    request.on('error', (error) =>
      settle(limit.aborted ? { why: `nothing within ${timeoutMs / 1000} s` } : failureOf(error)),
    );
    request.end();
  });
}

function failureOf(error: Error): ProbeAnswer {
  const code = 'code' in error ? String(error.code) : '';
  if (UNTRUSTED.has(code)) return { why: error.message, certificate: 'untrusted' };
  // RFC 8446, 6.2: what a server that is still getting its certificate answers a handshake with.
  if (/^ERR_SSL_\w*ALERT_INTERNAL_ERROR$/.test(code) || /alert internal error/i.test(error.message))
    return { why: 'it has no certificate for this name yet', certificate: 'not yet' };
  return { why: error.message };
}

/** What the certificate must be for; an address has no SNI. */
function nameOf(url: string): { readonly servername: string } | { readonly host: string } {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? { servername: host } : { host };
}
