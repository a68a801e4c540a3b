/** What a command that contacts servers works with: the engine's host, the events' display, the answers to its questions. */
import type { Emit } from '../engine/events.ts';
import { openStage, type Host, type StageRequest } from '../engine/index.ts';
import type { Context } from './context.ts';
import { createHost } from './host.ts';
import { printJson } from './json.ts';
import { abandoned, leftBehind, noTraces, trace } from './leftBehind.ts';
import { printLine } from './output.ts';
import type { Project } from './project.ts';
import { createPrompter } from './prompts.ts';
import { createRenderer } from './render.ts';
import type { Renderer } from './renderer.ts';
import { everyServer, type ServerChoice } from './serverOptions.ts';

export interface Session {
  readonly host: Host;
  readonly renderer: Renderer;
  /** Shows an event and remembers what it leaves on the servers. */
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** The stage as the engine takes it, its resolvers run. @throws {DurantError} usage and configuration codes. */
  readonly stageRequest: (project: Project, stage: string, on?: ServerChoice) => Promise<StageRequest>;
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
  const host = createHost(context, prompt);
  // Whoever runs a command in a project trusts it: its durant.conf names commands.
  const open =
    (goals: 'with goals' | 'without goals'): Session['stageRequest'] =>
    ({ doc, file }, stage, { servers, roles } = everyServer) =>
      openStage({ doc, file, stage, servers, roles, goals }, host, signal);
  return {
    host,
    renderer,
    signal,
    emit: (event) => {
      traces = trace(traces, event);
      if (events === 'shown' || !options.json) renderer.event(event);
    },
    stageRequest: open('without goals'),
    pipelineRequest: open('with goals'),
  };
}
