/** One HTTP request that follows no redirect, optionally over a stream that is already open. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { DurantError } from '../../errors.ts';

/**
 * The status code of a GET, or why there was no answer. The URL's host is sent as Host and SNI, wherever the stream leads.
 * @throws {DurantError} `cancelled`.
 */
export function requestStatus(
  url: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly stream?: Duplex },
): Promise<number | string> {
  const { timeoutMs, signal, stream } = options;
  const secure = new URL(url).protocol === 'https:';
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const settle = (value: number | string): void => {
      stream?.destroy();
      if (signal.aborted) reject(new DurantError('cancelled', 'Cancelled.'));
      else resolve(value);
    };
    const request = (secure ? requestHttps : requestHttp)(url, {
      signal: AbortSignal.any([signal, limit]),
      headers: { 'user-agent': 'durant', connection: 'close' },
      ...(stream === undefined
        ? { agent: false }
        : {
            // Only used where there is no agent.
            createConnection: () =>
              secure ? connectTls({ socket: stream, ...nameOf(url) }) : (stream as never),
          }),
    });
    request.once('response', (response) => {
      response.destroy();
      settle(response.statusCode ?? 'an answer without a status');
    });
    // More than one may come, when both ends of the stream go.
    request.on('error', (error) =>
      settle(limit.aborted ? `nothing within ${timeoutMs / 1000} s` : error.message),
    );
    request.end();
  });
}

/** What the certificate must be for; an address has no SNI. */
function nameOf(url: string): { readonly servername: string } | { readonly host: string } {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? { servername: host } : { host };
}
