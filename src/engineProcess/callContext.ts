/** What every call of the engine process works with: its stage opened, and the cache of its repository. */
import { dirname } from 'node:path';
import type { AppParts, Emit, Host, StageRequest } from '../engine/index.ts';
import type { CacheRequest } from '../git/cachedFiles.ts';
import { definedOnly } from './localChanges.ts';
import type { Calls, Method, Question, StageCall } from './protocol.ts';
import { openStage } from './stageOfFile.ts';

export interface CallContext {
  readonly host: Host;
  /** Stages as they were opened last, for calls that only look at commits and need no resolver to run again. */
  readonly opened: Map<string, StageRequest>;
  readonly emit: Emit;
  readonly ask: (question: Question, signal: AbortSignal) => Promise<string | undefined>;
  readonly signal: AbortSignal;
}

/** The stage as it was opened last, for what needs no resolver to run again. */
export async function openedBefore(call: StageCall, context: CallContext): Promise<StageRequest> {
  return context.opened.get(stageKey(call)) ?? (await open(call, context));
}

export async function partsOf(call: StageCall, context: CallContext): Promise<AppParts> {
  const { host, emit, signal } = context;
  return { request: await open(call, context), host, emit, signal };
}

export async function open(
  call: StageCall,
  { host, opened, signal }: CallContext,
  goals: 'with goals' | 'without goals' = 'without goals',
): Promise<StageRequest> {
  const request = await openStage(call, host, signal, goals);
  opened.set(stageKey(call), request);
  return request;
}

export function stageKey({ file, stage }: StageCall): string {
  return `${file}\0${stage}`;
}

/** As if durant.conf protected it, where every run is to be asked about. */
export function guarded(request: StageRequest, alwaysConfirm: boolean): StageRequest {
  return alwaysConfirm ? { ...request, settings: { ...request.settings, protected: true } } : request;
}

export function cacheOf(request: StageRequest, host: Host, signal: AbortSignal): CacheRequest {
  return {
    repository: request.settings.repository,
    directory: dirname(request.file),
    cacheDir: host.cacheDir,
    gitPath: host.gitPath,
    env: definedOnly(host.env),
    signal,
  };
}

/** What each call does. */
export type Handlers = {
  readonly [M in Method]: (takes: Calls[M]['takes'], context: CallContext) => Promise<Calls[M]['gives']>;
};
