/** Calls about a stage that is deployed already: compared, held, promoted, under maintenance, set up, taken down, its history. */
import { parseUntil, type Until } from '../config/values/until.ts';
import {
  down,
  hold,
  listServerFolder,
  maintenance,
  promote,
  readServerFile,
  stageLog,
  stageSetup,
  unhold,
  verify,
} from '../engine/index.ts';
import { DurantError } from '../errors.ts';
import { committedLog } from '../git/cachedFiles.ts';
import { cacheOf, guarded, open, openedBefore, type Handlers } from './callContext.ts';
import type { StageMethod } from './protocol.ts';

/** More commits between two releases than this are not read. */
const MOST_COMMITS = 500;

export const stageHandlers: Pick<Handlers, StageMethod> = {
  verify: async (call, context) =>
    verify({ ...(await open(call, context)), all: false }, context.host, context.emit, context.signal),
  hold: async (call, context) =>
    hold(
      { ...(await open(call, context)), why: call.why, until: untilOf(call.until) },
      context.host,
      context.emit,
      context.signal,
    ),
  unhold: async (call, context) =>
    unhold(await open(call, context), context.host, context.emit, context.signal),
  promote: async (call, context) =>
    promote(
      {
        ...guarded(await open(call, context), call.alwaysConfirm),
        from: await open({ ...call, stage: call.from }, context),
        dryRun: false,
        confirmed: false,
      },
      context.host,
      context.emit,
      context.signal,
    ),
  maintenance: async (call, context) =>
    maintenance({ ...(await open(call, context)), to: call.to }, context.host, context.emit, context.signal),
  setup: async (call, context) => stageSetup(await open(call, context), context.host, context.signal),
  down: async (call, context) => {
    const request = { ...(await open(call, context)), shared: call.shared, confirmed: false };
    const { finished, removed } = await down(request, context.host, context.emit, context.signal);
    return { finished, removed: Object.fromEntries(removed) };
  },
  log: async (call, context) =>
    stageLog(await open(call, context), context.host, context.emit, context.signal, call.limit),
  serverFolder: async (call, context) => {
    const { host, emit, signal } = context;
    return listServerFolder(await open(call, context), call.path, host, emit, signal);
  },
  serverFile: async (call, context) => {
    const { host, emit, signal } = context;
    const { size, contents } = await readServerFile(
      await open(call, context),
      call,
      call.part,
      host,
      emit,
      signal,
    );
    return { size, contents: contents?.toString('base64') ?? null };
  },
  commits: async (call, context) => {
    const cache = cacheOf(await openedBefore(call, context), context.host, context.signal);
    const commits = await committedLog(cache, call.from, call.to, MOST_COMMITS);
    return commits?.map(({ id, subject, author, date }) => ({ id, subject, author, date })) ?? null;
  },
};

/** @throws {DurantError} `usage`. */
function untilOf(text: string | undefined): Until {
  const until: Until | undefined = text === undefined ? { kind: 'lifted' } : parseUntil(text);
  if (until === undefined)
    throw new DurantError('usage', `${text ?? ''} is no time.`, {
      remedy: 'Give a duration (2h) or ISO 8601 (2027-01-04T08:00).',
    });
  return until;
}
