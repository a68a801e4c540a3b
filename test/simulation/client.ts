/** A simulated `durant` process: the engine itself, with a clock, a line and a life that the simulation decides. */
import { join } from 'node:path';
import { resolveForRun } from '../../src/config/values/runSettings.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import {
  deploy,
  prune,
  rollback,
  selectServers,
  stageStatus,
  unlock,
  type Host,
  type RunEvent,
  type StageRequest,
} from '../../src/engine/index.ts';
import type { Connection, ConnectRequest } from '../../src/remote/target.ts';
import type { Actor, Ending } from './invariants.ts';
import { fakeGit } from './repository.ts';
import { queuedConnection, type SimulatedServer, type Waiting } from './server.ts';

export type Operation =
  | {
      readonly kind: 'deploy';
      readonly version: number;
      readonly again: boolean;
      readonly waitMs: number;
      readonly only: readonly string[];
    }
  | {
      readonly kind: 'rollback';
      readonly release: string | undefined;
      readonly waitMs: number;
      readonly only: readonly string[];
    }
  | { readonly kind: 'prune'; readonly keep: number }
  | { readonly kind: 'unlock' | 'status' };

/** Where clients run; those of one machine share its journal. */
export interface Machine {
  readonly name: string;
  /** Milliseconds by which its clock is ahead. */
  readonly skew: number;
  readonly folder: string;
}

export interface ClientOptions {
  readonly number: number;
  readonly machine: Machine;
  readonly operation: Operation;
  readonly conf: string;
  readonly trees: string;
  readonly servers: readonly SimulatedServer[];
  readonly now: () => number;
  readonly randomId: () => string;
  readonly queue: (waiting: Waiting) => void;
  /** Why a server cannot be connected to; undefined: it can. */
  readonly reach: (server: SimulatedServer) => Error | undefined;
}

export interface Sleeper {
  readonly until: number;
  wake(): void;
}

export interface Client {
  readonly number: number;
  readonly name: string;
  readonly words: string;
  readonly machine: Machine;
  readonly state: 'running' | 'ended' | 'killed';
  /** How it ended, in words; empty until then. */
  readonly ended: string;
  /** What waits for a time to pass: one for each server, it may be. */
  readonly sleeping: readonly Sleeper[];
  /** Settles when it has ended; never for one that is killed. */
  readonly done: Promise<void>;
  actor(): Actor;
  cancel(): void;
  /** It does nothing more, and nothing is undone. */
  kill(): void;
  /** Its end, once. */
  takeEnding(): { readonly words: string; readonly run: Ending | undefined } | undefined;
}

export function begin(options: ClientOptions): Client {
  const { number, machine, operation } = options;
  const abort = new AbortController();
  const warnings = new Set<string>();
  let state: Client['state'] = 'running';
  let run: string | undefined;
  let ending: ReturnType<Client['takeEnding']>;
  let told = '';
  const sleepers = new Set<Sleeper>();
  const host: Host = {
    ...hostOf(options),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const done = (settle: () => void): void => {
          sleepers.delete(sleeper);
          settle();
        };
        const sleeper = { until: options.now() - machine.skew + ms, wake: () => done(resolve) };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => done(() => reject(new Error('Cancelled.'))), { once: true });
      }),
  };
  const emit = (event: RunEvent): void => {
    if (event.event === 'run-started') run = event.run;
    if (event.event === 'warning') warnings.add(event.code);
  };
  const done = perform(options, host, emit, abort.signal).then(
    (finished) => {
      if (state === 'killed') return;
      state = 'ended';
      const { ok, error, servers, release, commit } = finished ?? {};
      told = ok === undefined || ok ? 'ok' : `${error?.code ?? ''}: ${error?.message ?? ''}`;
      ending = {
        words: `${told}${warnings.size === 0 ? '' : ` (${[...warnings].join(', ')})`}`,
        run:
          run === undefined || ok === undefined || operation.kind === 'prune'
            ? undefined
            : {
                run,
                ok,
                code: error?.code,
                release: release ?? null,
                commit: commit ?? null,
                servers: servers ?? [],
                warnings,
              },
      };
    },
    (error: unknown) => {
      if (state === 'killed') return;
      state = 'ended';
      told = String(error);
      ending = { words: told, run: undefined };
    },
  );
  return {
    number,
    machine,
    done,
    name: `${machine.name}/${number}`,
    words: JSON.stringify(operation),
    get state() {
      return state;
    },
    get ended() {
      return told;
    },
    get sleeping() {
      return state === 'running' ? [...sleepers] : [];
    },
    actor: () => ({
      kind: operation.kind === 'unlock' ? 'unlock' : operation.kind === 'status' ? 'look' : 'run',
      run,
      action: operation.kind,
      named: operation.kind === 'rollback' ? operation.release : undefined,
    }),
    cancel: () => abort.abort(),
    kill: () => {
      state = 'killed';
    },
    takeEnding() {
      const taken = ending;
      ending = undefined;
      return taken;
    },
  };
}

async function perform(
  options: ClientOptions,
  host: Host,
  emit: (event: RunEvent) => void,
  signal: AbortSignal,
) {
  const { operation } = options;
  const request = await requestOf(options, host, signal);
  const only = 'only' in operation ? operation.only : [];
  const chosen = { ...request, servers: selectServers(request.servers, { servers: only, roles: [] }) };
  const common = { dryRun: false, confirmed: true };
  if (operation.kind === 'deploy') {
    const { version, again, waitMs } = operation;
    return deploy(
      { ...chosen, ...common, ref: String(version), build: false, again, waitMs },
      host,
      emit,
      signal,
    );
  }
  if (operation.kind === 'rollback') {
    const { release, waitMs } = operation;
    return rollback({ ...chosen, ...common, release, waitMs }, host, emit, signal);
  }
  if (operation.kind === 'prune')
    return (await prune({ ...request, ...common, keep: operation.keep }, host, emit, signal)).finished;
  if (operation.kind === 'unlock') await unlock(request, host, emit, signal, () => Promise.resolve(true));
  else await stageStatus(request, host, emit, signal, () => Promise.resolve(undefined));
  return undefined;
}

async function requestOf(options: ClientOptions, host: Host, signal: AbortSignal): Promise<StageRequest> {
  const io = {
    env: host.env,
    signal,
    runShell: () => Promise.reject(new Error('No value is a command.')),
    secret: () => Promise.resolve(undefined),
    gpg: () => Promise.reject(new Error('No value is encrypted.')),
  };
  const { settings, processes, secrets } = await resolveForRun(parseConf(options.conf), 'production', io);
  const file = join(options.machine.folder, 'durant.conf');
  return { stage: 'production', settings, processes, secrets, file, servers: settings.server };
}

function hostOf(options: ClientOptions): Omit<Host, 'sleep'> {
  const { machine, number } = options;
  return {
    connect: (request) => connect(options, request),
    git: fakeGit(options.trees),
    prompt: () => Promise.resolve(undefined),
    env: {},
    now: () => new Date(options.now()),
    randomId: options.randomId,
    user: `user${number}`,
    hostname: machine.name,
    cacheDir: join(machine.folder, 'cache'),
    stateDir: join(machine.folder, 'state'),
    cli: [],
  };
}

async function connect(options: ClientOptions, { address }: ConnectRequest): Promise<Connection> {
  const server = options.servers.find(({ entry }) => entry === address.entry);
  if (server === undefined) return nowhere(address);
  const refusal = options.reach(server);
  if (refusal !== undefined) throw refusal;
  return queuedConnection(address, server, options.number, options.queue);
}

/** This machine, for local commands: simulated stages have none. */
function nowhere(address: ConnectRequest['address']): Connection {
  return {
    address,
    description: 'none',
    user: 'somebody',
    exec: () => Promise.reject(new Error('A simulated client runs nothing here.')),
    forward: () => Promise.resolve(undefined),
    posixRename: undefined,
    close: () => undefined,
  };
}
