/** What each action of `durant app` does. */
import {
  firstServer,
  appExec,
  appInfo,
  appLogs,
  appSecrets,
  appShellScript,
  controlApp,
  type AppInfo,
  type AppParts,
  type ControlAction,
  type ProcessState,
} from '../engine/index.ts';
import { Readable } from 'node:stream';
import { DurantError, asDurantError } from '../errors.ts';
import { quote } from '../remote/shell.ts';
import type { Context } from './context.ts';
import { exitStatus } from './exitStatus.ts';
import type { AppCommand } from './commands/app.ts';
import { printJson } from './json.ts';
import { formatBytes } from '../format.ts';
import { printLine } from './output.ts';
import { printable, printableLines } from '../printable.ts';
import { isSound, standingText } from '../report/processes.ts';
import { openProject } from './project.ts';
import { openSession } from './session.ts';
import { runInTerminal, runMasked, sshCommand } from './systemSsh.ts';

export async function appAction(command: AppCommand, context: Context): Promise<number> {
  const project = await openProject({ cwd: context.cwd, config: context.options.config });
  const session = openSession(context, 'only for people');
  try {
    const { host, emit, signal } = session;
    const request = await session.stageRequest(project, command.stage, command.on);
    const parts: AppParts = { request, host, emit, signal };
    switch (command.action) {
      case 'info':
        return showInfo(await appInfo(parts), context);
      case 'start':
      case 'stop':
      case 'restart':
      case 'run':
        return await control(command.action, command.words[0], parts, context);
      case 'logs':
        return await logs(command, parts, context);
      case 'exec':
      case 'shell':
        return await run(command, parts, context, session.renderer.close);
    }
  } finally {
    session.renderer.close();
  }
}

function showInfo(info: AppInfo, context: Context): number {
  const { options, output } = context;
  const status = info.servers.some(({ error }) => error !== null) ? 1 : 0;
  if (options.json) {
    printJson(output, info);
    return status;
  }
  const { color } = output;
  printLine(
    output.stdout,
    `${color.bold(printable(info.app))}${info.address === null ? '' : ` ${info.address}`}`,
  );
  for (const { server, release, processes, error } of info.servers) {
    printLine(
      output.stdout,
      `${printable(server)}: ${release === null ? 'nothing is live' : printable(release)}`,
    );
    if (error !== null) printLine(output.stderr, `  ${color.red(printableLines(error))}`);
    if (error === null && processes.length === 0) printLine(output.stdout, '  no processes');
    for (const process of processes) printLine(output.stdout, `  ${processLine(process, context)}`);
  }
  return status;
}

function processLine(state: ProcessState, { output: { color } }: Context): string {
  const { process, unit, since, pid, memory_bytes: memory } = state;
  const facts = [
    unit,
    ...(since === null ? [] : [`since ${since.replace('T', ' ').replace('.000Z', ' UTC')}`]),
    ...(pid === null ? [] : [`pid ${String(pid)}`]),
    ...(memory === null ? [] : [formatBytes(memory)]),
  ];
  const paint = state.state === 'running' ? color.green : isSound(state) ? String : color.red;
  return `${printable(process)}: ${paint(standingText(state))} (${facts.map(printable).join(', ')})`;
}

async function control(
  action: ControlAction,
  process: string | undefined,
  parts: AppParts,
  { options, output }: Context,
): Promise<number> {
  const done = await controlApp(parts, action, process);
  if (options.json) printJson(output, done);
  else
    for (const { server, units, error } of done.servers) {
      if (error === null)
        printLine(
          output.stdout,
          `${printable(server)}: ${action} ${units.map(printable).join(', ') || 'nothing'}`,
        );
      else printLine(output.stderr, `${printable(server)}: ${printableLines(error)}`);
    }
  return done.servers.some(({ error }) => error !== null) ? 1 : 0;
}

async function logs(command: AppCommand, parts: AppParts, { options, output }: Context): Promise<number> {
  const several = parts.request.servers.length > 1;
  const wanted = { process: command.words[0], follow: command.follow, lines: command.lines };
  try {
    await appLogs(parts, wanted, (server, line) => {
      if (options.json) printJson(output, { server, line });
      else
        printLine(
          output.stdout,
          `${several ? `${output.color.cyan(`[${printable(server)}]`)} ` : ''}${printable(line)}`,
        );
    });
    return 0;
  } catch (thrown) {
    // Following ends so.
    if (command.follow && asDurantError(thrown).code === 'cancelled') return exitStatus('cancelled');
    throw thrown;
  }
}

async function run(
  command: AppCommand,
  parts: AppParts,
  context: Context,
  closeDisplay: () => void,
): Promise<number> {
  const { request } = parts;
  const words = command.words;
  const line =
    words.length === 0 ? undefined : command.action === 'exec' ? words.map(quote).join(' ') : words.join(' ');
  const address = firstServer(request);
  const { options, output, input, env } = context;
  if (options.json && line === undefined)
    throw new DurantError('usage', 'A shell is interactive and does not support --json.', {
      remedy: 'Name a command after --.',
    });
  if (!options.json && input.isTTY === true) {
    const secrets = await appSecrets(parts);
    closeDisplay();
    const [program, ...args] = await sshCommand(request, address, {
      terminal: true,
      env,
      signal: parts.signal,
      script: appShellScript(request, line),
    });
    // A shell of this machine would take pipes for no terminal.
    if (address.local && line === undefined) return runInTerminal(program, args);
    return runMasked(program, args, { secrets, output, masks: address.local ? 'both' : 'stdout' });
  }
  const wanted = line ?? 'exec "${SHELL:-/bin/sh}"';
  const stdin = input.isTTY !== true && input instanceof Readable ? input : undefined;
  if (!options.json) return appExec(parts, wanted, stdin, (stream, text) => output[stream].write(text));
  const said: Record<'stdout' | 'stderr', string[]> = { stdout: [], stderr: [] };
  const status = await appExec(parts, wanted, stdin, (stream, text) => said[stream].push(text));
  printJson(output, {
    stage: request.stage,
    server: address.entry,
    status,
    stdout: said.stdout.join(''),
    stderr: said.stderr.join(''),
  });
  return status;
}
