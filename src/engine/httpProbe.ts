/** One HTTP request that follows no redirect, optionally over a stream that is already open. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { DurantError } from '../errors.ts';

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
      agent: false,
      headers: { 'user-agent': 'durant', connection: 'close' },
      ...(stream === undefined
        ? {}
        : {
            createConnection: () =>
              secure ? connectTls({ socket: stream, servername: new URL(url).hostname }) : (stream as never),
          }),
    });
    request.once('response', (response) => {
      response.destroy();
      settle(response.statusCode ?? 'an answer without a status');
    });
    request.once('error', (error) =>
      settle(limit.aborted ? `nothing within ${timeoutMs / 1000} s` : error.message),
    );
    request.end();
  });
}
