/** The engine process: started by client.ts with an IPC channel, ended by the channel's end. Nothing here knows the editor. */
import { asDurantError, fieldsOf } from '../errors.ts';
import type { Host, RunEvent, StageRequest } from '../engine/index.ts';
import { createConnect } from '../remote/connect.ts';
import type { Login } from '../git/port.ts';
import type { Connect, PromptRequest } from '../remote/target.ts';
import type { CallContext } from './callContext.ts';
import { handlers } from './calls.ts';
import { createEngineHost } from './engineHost.ts';
import { keepConnections } from './keptConnections.ts';
import { createOutbox } from './eventBatcher.ts';
import { cleanEnvironment } from './sanitizedEnv.ts';
import type { FromEngine, Method, Question, Setup, ToEngine } from './protocol.ts';

/** How long a run may take to undo itself after the window has gone, ms. */
const undoMs = 120_000;

/** Calls that only look and are soon done: of several at once, for several stages, one logs in. */
const LOOKING: readonly Method[] = ['releases', 'log', 'serverFolder', 'serverFile'];

function serve(): void {
  const env = cleanEnvironment(process.env);
  process.env = env;
  const calls = new Map<number, AbortController>();
  const questions = new Map<number, (answer: string | undefined) => void>();
  const opened = new Map<string, StageRequest>();
  let asked = 0;
  let leaving = false;
  let setup: Setup = {
    cacheDir: undefined,
    stateDir: undefined,
    gitPath: undefined,
    sshPath: undefined,
    rsyncPath: undefined,
    keepConnectionsMs: 0,
  };
  const kept = keepConnections(createConnect(), () => (leaving ? 0 : setup.keepConnectionsMs));

  const send = (message: FromEngine): Promise<void> =>
    new Promise((resolve) => {
      // Whoever listened may have gone: a run undoes itself all the same.
      if (!process.connected || process.send === undefined) resolve();
      else
        process.send(message, undefined, undefined, () => {
          resolve();
        });
    });

  const ask = (call: number, question: Question, signal: AbortSignal): Promise<string | undefined> => {
    if (leaving || signal.aborted) return Promise.resolve(undefined);
    asked += 1;
    const id = asked;
    return new Promise((resolve) => {
      const withdraw = (): void => {
        questions.get(id)?.(undefined);
        void send({ kind: 'withdrawn', question: id });
      };
      questions.set(id, (answer) => {
        questions.delete(id);
        signal.removeEventListener('abort', withdraw);
        resolve(answer);
      });
      signal.addEventListener('abort', withdraw, { once: true });
      void send({ kind: 'question', call, question: id, ask: question });
    });
  };

  const run = async (message: Extract<ToEngine, { kind: 'call' }>): Promise<void> => {
    const { call } = message;
    const controller = new AbortController();
    calls.set(call, controller);
    const outbox = createOutbox((events: readonly RunEvent[]) => send({ kind: 'events', call, events }));
    const prompt = (request: PromptRequest, signal: AbortSignal): Promise<string | undefined> =>
      ask(call, request, signal);
    const connect: Connect = async (request) => {
      const connection = await (LOOKING.includes(message.method) ? kept.connectInTurn : kept.connect)(
        request,
      );
      void send({ kind: 'connected', call, server: request.address.entry });
      return connection;
    };
    const host: Host = createEngineHost(setup, {
      connect,
      prompt,
      login: async (origin) =>
        parseLogin(await ask(call, { kind: 'git-login', server: null, origin }, controller.signal)),
      env,
    });
    const context: CallContext = {
      host,
      opened,
      emit: outbox.add,
      ask: (question, signal) => ask(call, question, signal),
      signal: controller.signal,
    };
    try {
      const gives = await dispatch(message, context);
      await outbox.flush();
      await send({ kind: 'result', call, gives });
    } catch (error) {
      await outbox.flush();
      await send({ kind: 'failed', call, failure: fieldsOf(asDurantError(error)) });
    } finally {
      calls.delete(call);
      if (leaving && calls.size === 0) process.exit(0);
    }
  };

  /** The window has gone, or the machine goes down: what runs is cancelled, which undoes it, and then this process ends. */
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    kept.closeUnused();
    for (const answer of questions.values()) answer(undefined);
    for (const controller of calls.values()) controller.abort();
    if (calls.size === 0) process.exit(0);
    setTimeout(() => process.exit(1), undoMs);
  };

  process.on('message', (message: ToEngine) => {
    if (message.kind === 'setup') setup = message.setup;
    else if (message.kind === 'cancel') calls.get(message.call)?.abort();
    else if (message.kind === 'answer') questions.get(message.question)?.(message.answer);
    else void run(message);
  });
  process.on('disconnect', leave);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
}

/** What the editor remembers is what it was given; anything else is no login. */
function parseLogin(text: string | undefined): Login | undefined {
  const found: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof found !== 'object' || found === null || !('user' in found) || !('password' in found))
    return undefined;
  return { user: String(found.user), password: String(found.password) };
}

function dispatch(message: Extract<ToEngine, { kind: 'call' }>, context: CallContext): Promise<unknown> {
  switch (message.method) {
    case 'deploy':
      return handlers.deploy(message.takes, context);
    case 'rollback':
      return handlers.rollback(message.takes, context);
    case 'releases':
      return handlers.releases(message.takes, context);
    case 'behind':
      return handlers.behind(message.takes, context);
    case 'prune':
      return handlers.prune(message.takes, context);
    case 'processes':
      return handlers.processes(message.takes, context);
    case 'control':
      return handlers.control(message.takes, context);
    case 'logs':
      return handlers.logs(message.takes, context);
    case 'site':
      return handlers.site(message.takes, context);
    case 'check':
      return handlers.check(message.takes, context);
    case 'unlock':
      return handlers.unlock(message.takes, context);
    case 'file':
      return handlers.file(message.takes, context);
    case 'changes':
      return handlers.changes(message.takes, context);
    case 'agent':
      return handlers.agent(message.takes, context);
    case 'candidates':
      return handlers.candidates(message.takes, context);
    case 'project':
      return handlers.project(message.takes, context);
    case 'verify':
      return handlers.verify(message.takes, context);
    case 'hold':
      return handlers.hold(message.takes, context);
    case 'unhold':
      return handlers.unhold(message.takes, context);
    case 'promote':
      return handlers.promote(message.takes, context);
    case 'maintenance':
      return handlers.maintenance(message.takes, context);
    case 'setup':
      return handlers.setup(message.takes, context);
    case 'down':
      return handlers.down(message.takes, context);
    case 'log':
      return handlers.log(message.takes, context);
    case 'serverFolder':
      return handlers.serverFolder(message.takes, context);
    case 'serverFile':
      return handlers.serverFile(message.takes, context);
    case 'commits':
      return handlers.commits(message.takes, context);
  }
}

serve();
