/** The calls of the engine process: what each does with the engine. */
import { dirname, join, posix } from 'node:path';
import { runAgentRequest } from '../agents/run.ts';
import { DurantError } from '../errors.ts';
import {
  appInfo,
  assessStage,
  appLogs,
  behindCounter,
  controlApp,
  deploy,
  listReleases,
  rollback,
  siteAddress,
  unlock,
  type Host,
  type StageRequest,
} from '../engine/index.ts';
import { committedChanges, committedFile } from '../git/cachedFiles.ts';
import { findGit, gitTextIfAny } from '../git/gitProcess.ts';
import { LOG_FORMAT, parseCommits } from '../git/commits.ts';
import { gitEnvironment } from '../git/gitEnvironment.ts';
import { projectFacts } from '../git/projectRepository.ts';
import { definedOnly, findLeftOut } from './localChanges.ts';
import { readConf } from './stageOfFile.ts';
import { pruneAsked } from './confirmPrune.ts';
import { cacheOf, guarded, open, openedBefore, partsOf, type Handlers } from './callContext.ts';
import type { Candidates, FileChange, StageCall } from './protocol.ts';
import { stageHandlers } from './stageCalls.ts';

export const handlers: Handlers = {
  ...stageHandlers,
  deploy: async (call, context) => {
    const { host, emit, ask, signal } = context;
    const request = await open(call, context, 'with goals');
    if (!call.dryRun && !call.mayLeaveOut) {
      const leftOut = await findLeftOut({ request, ref: call.ref, unsaved: call.unsaved }, host, signal);
      if (leftOut !== undefined && (await ask({ kind: 'left-out', server: null, leftOut }, signal)) !== 'yes')
        throw new DurantError('cancelled', 'Cancelled: nothing was changed.');
    }
    return deploy(
      {
        ...guarded(request, call.alwaysConfirm),
        ref: call.ref,
        commit: call.commit,
        dryRun: call.dryRun,
        build: call.build,
        keepBuilt: call.keepBuilt,
        savePlan: call.savePlan === true ? 'where-known' : false,
        plan: call.plan,
        again: call.again,
        waitMs: call.waitMs,
        confirmed: false,
      },
      host,
      emit,
      signal,
    );
  },
  rollback: async (call, context) =>
    rollback(
      {
        ...guarded(await open(call, context), call.alwaysConfirm),
        release: call.release,
        dryRun: false,
        waitMs: 0,
        confirmed: false,
      },
      context.host,
      context.emit,
      context.signal,
    ),
  prune: async (call, context) =>
    pruneAsked(
      { ...guarded(await open(call, context), call.alwaysConfirm), only: call.only },
      context.host,
      context.emit,
      context.signal,
    ),
  processes: async (call, context) => appInfo(await partsOf(call, context)),
  control: async (call, context) => controlApp(await partsOf(call, context), call.action, call.process),
  logs: async (call, context) => {
    const { process, lines } = call;
    await appLogs(await partsOf(call, context), { process, follow: true, lines }, (server, line) => {
      context.emit({ event: 'output', server, stream: 'stdout', line });
    });
    return null;
  },
  site: async (call, context) => siteAddress((await open(call, context)).settings) ?? null,
  releases: async (call, context) =>
    listReleases(await open(call, context), context.host, context.emit, context.signal),
  behind: async (call, context) => {
    const { host, signal } = context;
    const request = await openedBefore(call, context);
    const counter = behindCounter(request, host, () => undefined, signal);
    try {
      return (await counter.count(call.commit)) ?? null;
    } finally {
      await counter.close();
    }
  },
  check: async (call, context) =>
    assessStage(await open(call, context), context.host, context.emit, context.signal),
  unlock: async (call, context) =>
    unlock(
      await open(call, context),
      context.host,
      context.emit,
      context.signal,
      async (server, lock) => (await context.ask({ kind: 'unlock', server, lock }, context.signal)) === 'yes',
    ),
  file: async (call, context) => {
    const { host, signal } = context;
    const request = await openedBefore(call, context);
    const path = posix.join(request.settings.sub_directory ?? '', call.path);
    return (
      (await committedFile(cacheOf(request, host, signal), call.commit, path))?.toString('base64') ?? null
    );
  },
  changes: async (call, context) => {
    const { host, signal } = context;
    const request = await openedBefore(call, context);
    const changes = await committedChanges(cacheOf(request, host, signal), call.from, call.to);
    return changes.flatMap((change) => sentChange(request, change));
  },
  agent: async (request, { host, emit, signal }) =>
    runAgentRequest(request, {
      host,
      file: request.file,
      doc: await readConf(request.file),
      // The editor shows what it knows of this machine while the file is edited.
      facts: () => Promise.resolve({}),
      emit,
      signal,
    }),
  candidates: (call, { host, signal }) => findCandidates(call, host, signal),
  project: async ({ directory }, { host, signal }) =>
    (await projectFacts({ directory, env: definedOnly(host.env), gitPath: host.gitPath, signal })) ?? null,
};

/** A change relative to `sub_directory`, where there is one; none where it lies outside. */
function sentChange(request: StageRequest, change: FileChange): FileChange[] {
  const folder = posix.join(request.settings.sub_directory ?? '', '/').replace(/^\//, '');
  if (!change.path.startsWith(folder)) return [];
  return [{ ...change, path: change.path.slice(folder.length) }];
}

/** Branches, tags and the last commits of the project that durant.conf lies in. */
async function findCandidates(call: StageCall, host: Host, signal: AbortSignal): Promise<Candidates> {
  const directory = dirname(call.file);
  const env = definedOnly(host.env);
  const facts = await projectFacts({ directory, env, gitPath: host.gitPath, signal });
  if (facts === undefined) return { branches: [], tags: [], commits: [] };
  const log = await gitTextIfAny(
    {
      binary: await findGit(host.gitPath, env),
      env: { ...gitEnvironment(env), GIT_OPTIONAL_LOCKS: '0' },
      config: [],
      signal,
    },
    { directory: join(facts.root), args: ['log', '-n', '50', ...LOG_FORMAT] },
  );
  return {
    branches: [...new Set([...facts.branches, ...facts.remoteBranches.map(({ branch }) => branch)])],
    tags: facts.tags,
    commits: parseCommits(log ?? '').map(({ id, subject, author, date }) => ({ id, subject, author, date })),
  };
}
