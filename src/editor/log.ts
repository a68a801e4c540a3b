/** The output channel: every event of every run as lines, each prefixed with the stage and the server it is from. */
import type { RunEvent } from '../engine/index.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { printable } from '../printable.ts';

/** What of `vscode.LogOutputChannel` is written to. */
export interface Sink {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly error: (message: string) => void;
}

/** Returns what writes a run's events down. Lines of output that come together are written together. */
export function logRun(sink: Sink, stage: string): (event: RunEvent) => void {
  const toLine = createLines(stage);
  let lines: string[] = [];
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    if (lines.length === 0) return;
    sink.info(lines.join('\n'));
    lines = [];
  };
  return (event) => {
    const line = toLine(event);
    if (event.event === 'output' && line !== undefined) {
      lines.push(line.text);
      if (!scheduled) queueMicrotask(flush);
      scheduled = true;
      return;
    }
    flush();
    if (line !== undefined) sink[line.level](line.text);
  };
}

/** Lines of output that errors are compared with: what an error repeats is the last that was printed. */
const remembered = 50;

/** A run's events in words. What a command has printed, or an error has said, is not said again by the errors that follow. */
export function createLines(stage: string): (event: RunEvent) => Line | undefined {
  let said: readonly string[] = [];
  const once = (text: string): string => {
    const [first = '', ...rest] = text.split('\n');
    const fresh = rest.filter((line) => !said.includes(line.trim()));
    said = [...said, ...fresh.map((line) => line.trim())];
    return [first, ...fresh].join('\n');
  };
  return (event) => {
    if (event.event === 'output') said = [...said, event.line.trim()].slice(-remembered);
    return lineOf(event, stage, once);
  };
}

export interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

/** One event in words; undefined for those that say nothing new. */
function lineOf(event: RunEvent, stage: string, once: (text: string) => string): Line | undefined {
  const prefix = (server: string | null): string => `${stage} ${server === null ? '' : `· ${server} `}│ `;
  switch (event.event) {
    case 'run-started':
      return {
        level: 'info',
        text: `${prefix(null)}${event.dry_run ? 'dry run of ' : ''}${event.action} on ${event.servers.join(', ')} (run ${event.run})`,
      };
    case 'step': {
      if (event.state === 'running') return undefined;
      const reason = event.reason === null ? '' : `: ${indented(once(event.reason))}`;
      const time = event.ms === null ? '' : ` (${formatDuration(event.ms)})`;
      const level = event.state === 'failed' ? 'error' : 'info';
      return { level, text: `${prefix(event.server)}${event.step} ${event.state}${reason}${time}` };
    }
    case 'command':
      return {
        level: 'info',
        text: `${prefix(event.server)}${event.step} $ ${indented(event.command)}`,
      };
    case 'output':
      return { level: 'info', text: `${prefix(event.server)}  ${printable(event.line)}` };
    case 'change':
      return {
        level: 'info',
        text: `${prefix(event.server)}${event.kind} ${printable(event.path)} (${formatBytes(event.bytes)})`,
      };
    case 'drift':
      return { level: 'warn', text: `${prefix(event.server)}${event.kind} ${printable(event.path)}` };
    case 'warning':
      return {
        level: 'warn',
        text: `${prefix(event.server)}${indented(once(event.message))} [${event.code}]`,
      };
    case 'prompt':
      return { level: 'info', text: `${prefix(event.server)}asked: ${indented(event.message)}` };
    case 'run-finished':
      return finishedLine(event, prefix(null), once);
    case 'plan':
    case 'transfer':
      return undefined;
  }
}

function finishedLine(
  event: Extract<RunEvent, { event: 'run-finished' }>,
  prefix: string,
  once: (text: string) => string,
): Line {
  const servers = event.servers.map(
    ({ server, state, current, error }) =>
      `\n    ${server}: ${state}${current === null ? '' : `, current is ${current}`}${error === null ? '' : `: ${indented(once(error))}`}`,
  );
  if (event.error === null)
    return {
      level: 'info',
      text: `${prefix}${event.dry_run ? 'dry run done, nothing was changed' : `done: ${event.release ?? ''}`}${servers.join('')}`,
    };
  return {
    level: 'error',
    text: `${prefix}${indented(once(event.error.message))} [${event.error.code}]${servers.join('')}`,
  };
}

function indented(text: string): string {
  return text.split('\n').map(printable).join('\n      ');
}
