/** HTTP for goals: an answer of any status is an answer; no answer is a failure that may pass. */
import { openAsBlob } from 'node:fs';
import manifest from '../../../../package.json' with { type: 'json' };
import { throwIfCancelled } from '../../../errors.ts';
import { GoalFailure } from './goalFailure.ts';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or the bytes of a file. */
  readonly body?: { readonly json: unknown } | { readonly file: string };
  /** Default `follow`; `manual` gives a redirect as the answer. */
  readonly redirect?: 'follow' | 'manual';
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** The text as JSON; undefined where it is none. */
  readonly json: unknown;
}

/** Nobody answered; that may pass. */
export class NoAnswer extends GoalFailure {
  /** Who did not answer and why, without a full stop. */
  readonly fact: string;

  constructor(fact: string, cause: unknown) {
    super(`${fact}. Check the address and the network.`, { mayPass: true, cause });
    this.fact = fact;
  }
}

/** No answer within this time, without a `timeout` of the goal, is a network failure. Sending a large file counts. */
const PATIENCE_MS = 60_000;
const UPLOAD_PATIENCE_MS = 15 * 60_000;

/** @throws {NoAnswer} where no answer came; `cancelled`. */
export async function ask(url: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method = 'GET', body, signal } = request;
  throwIfCancelled(signal);
  const patience = AbortSignal.timeout(
    body !== undefined && 'file' in body ? UPLOAD_PATIENCE_MS : PATIENCE_MS,
  );
  try {
    const response = await fetch(url, {
      method,
      headers: {
        'user-agent': `durant/${manifest.version}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'json' in body ? 'application/json' : 'application/octet-stream' }),
        ...request.headers,
      },
      redirect: request.redirect ?? 'follow',
      signal: AbortSignal.any([signal, patience]),
      ...(body === undefined
        ? {}
        : { body: 'json' in body ? JSON.stringify(body.json) : await openAsBlob(body.file) }),
    });
    const text = await response.text();
    return { status: response.status, text, json: parsed(text) };
  } catch (error) {
    throwIfCancelled(signal);
    throw new NoAnswer(`${shown(url)} did not answer: ${whyOf(error)}`, error);
  }
}

/** Whether another try may be answered better. */
export function mayPass({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status === 429 || status >= 500;
}

/** The failure of an answer that is not the one hoped for. */
export function httpFailure(doing: string, url: string, answer: HttpAnswer, remedy: string): GoalFailure {
  const said = saidBy(answer);
  return new GoalFailure(
    `${doing} failed: ${shown(url)} answered ${String(answer.status)}${said === '' ? '' : ` (${said})`}.`,
    mayPass(answer) ? { remedy: 'Try again later.', mayPass: true } : { remedy },
  );
}

/** What an API says in words, in one line. */
export function saidBy({ json, text }: HttpAnswer): string {
  const message = field(json, 'message') ?? field(json, 'error');
  const words = typeof message === 'string' ? message : json === undefined ? text : '';
  return (words.trim().split('\n', 1)[0] ?? '').slice(0, 200);
}

/** A field of a JSON object; undefined where it is none, or has none. */
export function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && Object.hasOwn(json, name)
    ? Object.getOwnPropertyDescriptor(json, name)?.value
    : undefined;
}

/** `base` and a path below it, whether or not `base` ends with a slash. */
export function below(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`;
}

/** An address without what may be secret in it. */
function shown(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return url.replace(/\?.*$/s, '');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undici says only "fetch failed"; the reason is in the cause, of several addresses in the first. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it took too long';
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  if (!(cause instanceof Error)) return error.message;
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}
