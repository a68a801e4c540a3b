/** What a command that contacts servers works with: the engine's host, the events' display, the answers to its questions. */
import { requireValid } from '../config/validate.ts';
import { resolvePipeline } from '../config/pipeline.ts';
import { resolveForRun } from '../config/runSettings.ts';
import type { ValueIo } from '../config/values.ts';
import { secretFromEnvironment } from '../config/resolvers.ts';
import type { Emit } from '../engine/events.ts';
import { selectServers, type Host, type StageRequest } from '../engine/index.ts';
import type { Context } from './context.ts';
import { createHost } from './host.ts';
import { printJson } from './json.ts';
import { abandoned, leftBehind, noTraces, trace } from './leftBehind.ts';
import { runLocally } from './localCommand.ts';
import { printLine } from './output.ts';
import type { Project } from './project.ts';
import { createPrompter } from './prompts.ts';
import { createRenderer, type Renderer } from './render.ts';

export interface Session {
  readonly host: Host;
  readonly renderer: Renderer;
  /** Shows an event and remembers what it leaves on the servers. */
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** The stage as the engine takes it, its resolvers run. @throws {DurantError} usage and configuration codes. */
  readonly stageRequest: (
    project: Project,
    stage: string,
    servers?: readonly string[],
  ) => Promise<StageRequest>;
  /** The same with the goals of its pipeline, their resolvers run. */
  readonly pipelineRequest: Session['stageRequest'];
}

/**
 * @param events `shown` where the command's `--json` output is the events; else, with `--json`, they are dropped: such a command prints
 * one object.
 */
export function openSession(context: Context, events: 'shown' | 'only for people'): Session {
  const { options, output, env, interruption } = context;
  const { signal } = interruption;
  const renderer = createRenderer(output, options, env);
  const prompt = createPrompter({
    input: context.input,
    screen: output.stderr,
    mayAsk: !options.json,
    suspend: renderer.suspend,
    resume: renderer.resume,
    interrupt: interruption.interrupt,
  });
  let traces = noTraces;
  context.onAbandon(() => {
    renderer.close();
    if (options.json && events === 'shown') printJson(output, abandoned(traces));
    else printLine(output.stderr, leftBehind(traces));
  });
  const host = createHost(env, prompt);
  const stageRequest: Session['stageRequest'] = async (project, stage, servers = []) => {
    const io = valueIo(project, host, signal);
    requireValid(project.doc, stage);
    const { settings, processes, secrets } = await resolveForRun(project.doc, stage, io);
    return {
      stage,
      settings,
      processes,
      secrets,
      file: project.file,
      servers: selectServers(settings.server, servers),
    };
  };
  return {
    host,
    renderer,
    signal,
    emit: (event) => {
      traces = trace(traces, event);
      if (events === 'shown' || !options.json) renderer.event(event);
    },
    stageRequest,
    pipelineRequest: async (project, stage, servers) => {
      const request = await stageRequest(project, stage, servers);
      const io = valueIo(project, host, signal);
      return {
        ...request,
        pipeline: await resolvePipeline(project.doc, request.settings.pipeline, io),
        // Whoever runs the command in the project trusts it: its durant.conf names commands, too.
        trusted: true,
      };
    },
  };
}

function valueIo(project: Project, host: Host, signal: AbortSignal): ValueIo {
  const place = { cwd: project.directory, env: host.env };
  return {
    env: host.env,
    signal,
    runShell: (command, stop) =>
      runLocally({ ...place, program: shell, args: ['-c', command], signal: stop }),
    secret: async (name, stop) =>
      secretFromEnvironment(name, host.env) ??
      (await host.prompt({ kind: 'secret', server: null, message: `The secret ${name}`, name }, stop)),
    gpg: async (message, stop) => {
      const { status, stdout, stderr } = await runLocally({
        ...place,
        program: 'gpg',
        args: ['--quiet', '--decrypt'],
        input: message,
        signal: stop,
      });
      if (status !== 0)
        throw new Error(stderr.trim() === '' ? `gpg ended with status ${String(status)}` : stderr.trim());
      return stdout;
    },
  };
}

/** Git for Windows brings `sh`; elsewhere it has its place. */
const shell = process.platform === 'win32' ? 'sh' : '/bin/sh';
