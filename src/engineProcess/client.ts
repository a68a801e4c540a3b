/** The editor's side of the engine process: started on the first call, ended when nobody has called for a while. No `vscode` here. */
import { fork, type ChildProcess } from 'node:child_process';
import { cancelled, DurantError, errorOf } from '../errors.ts';
import type { Emit } from '../engine/index.ts';
import { createAcceptance, type Acceptance } from './acceptance.ts';
import type { Calls, FromEngine, Method, Question, Setup, ToEngine } from './protocol.ts';

/**
 * Answers a question; undefined for no.
 * @param accepted whether the answer opened what it was asked for: resolves when that is known, never rejects.
 */
export type Answer = (
  question: Question,
  signal: AbortSignal,
  accepted: Promise<boolean>,
) => Promise<string | undefined>;

export interface CallOptions {
  readonly emit?: Emit;
  /** Without it every question is answered with no. */
  readonly answer?: Answer;
  readonly signal: AbortSignal;
}

export interface EngineClient {
  /** @throws {DurantError} as the engine's function does; `internal` where its process ended. */
  readonly call: <M extends Method>(
    method: M,
    takes: Calls[M]['takes'],
    options: CallOptions,
  ) => Promise<Calls[M]['gives']>;
  /** Settings may have changed: read them again. */
  readonly refreshSetup: () => void;
  /** Lets the process go: what runs there is cancelled and undone. */
  readonly dispose: () => void;
}

export interface EngineClientOptions {
  /** Path of the bundle. */
  readonly bundle: string;
  readonly setup: () => Setup;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the process itself writes: only ever a crash. */
  readonly onNoise: (text: string) => void;
}

interface Pending {
  readonly options: CallOptions;
  readonly acceptance: Acceptance;
  readonly resolve: (gives: unknown) => void;
  readonly reject: (error: DurantError) => void;
}

/** Longer than connections are kept, the process has no purpose. ms */
const spareMs = 60_000;

export function createEngineClient(options: EngineClientOptions): EngineClient {
  const pending = new Map<number, Pending>();
  const questions = new Map<number, AbortController>();
  let process: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let calls = 0;

  const send = (message: ToEngine): void => {
    if (process?.connected === true) process.send(message);
  };

  const start = (): void => {
    clearTimeout(idle);
    if (process?.connected === true) return;
    const child = fork(options.bundle, [], {
      // The editor may be Electron, and may itself be debugged; neither is the engine's.
      env: { ...options.env, ELECTRON_RUN_AS_NODE: '1' },
      execArgv: [],
      // What ends the editor's process group must leave the engine the time to undo a run.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    process = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        options.onNoise(chunk.toString('utf8'));
      });
    child.on('message', (message: FromEngine) => {
      receive(message);
    });
    child.on('error', (error) => {
      ended(`it could not be started (${error.message})`);
    });
    child.on('exit', (code, signal) => {
      if (process === child) process = undefined;
      ended(signal === null ? `exit status ${String(code)}` : `signal ${signal}`);
    });
    send({ kind: 'setup', setup: options.setup() });
  };

  const ended = (how: string): void => {
    for (const { reject } of pending.values())
      reject(
        new DurantError('internal', `Durant's engine process ended (${how}).`, {
          remedy:
            'Run it again; an interrupted run is taken up by the next one. Durant: Show Output tells more.',
          changed: true,
        }),
      );
    pending.clear();
    for (const question of questions.values()) question.abort();
    questions.clear();
  };

  const receive = (message: FromEngine): void => {
    if (message.kind === 'withdrawn') {
      questions.get(message.question)?.abort();
      questions.delete(message.question);
      return;
    }
    const call = pending.get(message.call);
    if (call === undefined) return;
    if (message.kind === 'events') for (const event of message.events) call.options.emit?.(event);
    else if (message.kind === 'connected') call.acceptance.connected(message.server);
    else if (message.kind === 'question') void answer(message, call);
    else if (message.kind === 'result') call.resolve(message.gives);
    else {
      call.reject(errorOf(message.failure));
    }
  };

  const answer = async (
    { question, ask }: Extract<FromEngine, { kind: 'question' }>,
    { options: { answer: by }, acceptance }: Pending,
  ): Promise<void> => {
    const withdrawn = new AbortController();
    questions.set(question, withdrawn);
    let text: string | undefined;
    try {
      text = await by?.(ask, withdrawn.signal, acceptance.of(ask));
    } finally {
      questions.delete(question);
      send({ kind: 'answer', question, answer: text });
    }
  };

  const rest = (): void => {
    // What has ended, or was disposed of, has nothing left to end later.
    if (pending.size > 0 || process?.connected !== true) return;
    idle = setTimeout(
      () => {
        if (pending.size === 0 && process?.connected === true) process.disconnect();
      },
      Math.max(spareMs, options.setup().keepConnectionsMs),
    );
  };

  return {
    call: (method, takes, callOptions) => {
      const { signal } = callOptions;
      if (signal.aborted) return Promise.reject(cancelled());
      start();
      calls += 1;
      const call = calls;
      const cancel = (): void => {
        send({ kind: 'cancel', call });
      };
      const acceptance = createAcceptance();
      return new Promise<Calls[typeof method]['gives']>((resolve, reject) => {
        pending.set(call, {
          options: callOptions,
          acceptance,
          // The protocol pairs what a method gives with its name.
          resolve: (gives) => {
            acceptance.ended(isFailedRun(gives) ? 'badly' : 'well');
            resolve(gives as Calls[typeof method]['gives']);
          },
          reject: (error) => {
            acceptance.ended('badly');
            reject(error);
          },
        });
        signal.addEventListener('abort', cancel, { once: true });
        send({ kind: 'call', call, method, takes } as ToEngine);
      }).finally(() => {
        signal.removeEventListener('abort', cancel);
        pending.delete(call);
        rest();
      });
    },
    refreshSetup: () => {
      send({ kind: 'setup', setup: options.setup() });
    },
    dispose: () => {
      clearTimeout(idle);
      if (process?.connected === true) process.disconnect();
    },
  };
}

/** A run that failed gives its end all the same. */
function isFailedRun(gives: unknown): boolean {
  return typeof gives === 'object' && gives !== null && 'error' in gives && gives.error !== null;
}
