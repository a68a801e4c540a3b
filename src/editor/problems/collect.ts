/** Problems in what the commands of a run print, learnt from its events. Pure. */
import type { RunEvent } from '../../engine/index.ts';
import { findWith, type Find, type Found, type Matcher } from './matcher.ts';

/** A problem, and the folder that its command ran in: a clone here, a release on a server. */
export interface OutputProblem extends Found {
  readonly directory: string;
}

/** The command of durant.conf that ended a run. */
export interface FailedCommand {
  /** The option it is written in, as `before_deploy`; of a goal its name. */
  readonly step: string;
  readonly command: string;
  /** The first line it printed, of its errors where it printed any; empty for none. */
  readonly first: string;
}

export interface Collected {
  readonly problems: readonly OutputProblem[];
  /** The last command here, or on the server that failed: it is the failed one where the run failed by a command. */
  readonly last: (where: 'here' | 'server') => FailedCommand | undefined;
}

interface Running {
  readonly step: string;
  readonly command: string;
  readonly directory: string;
  readonly find: Find;
  out: string;
  err: string;
}

/** More are not shown: the first ones are the cause of the others. */
const mostProblems = 500;

export function collectProblems(matchers: readonly Matcher[]): {
  readonly take: (event: RunEvent) => void;
  readonly collected: () => Collected;
} {
  const running = new Map<string | null, Running>();
  const found = new Map<string, OutputProblem>();
  let failedServer: string | null = null;
  return {
    take: (event) => {
      if (event.event === 'command')
        running.set(event.server, {
          step: event.step,
          command: event.command,
          directory: event.directory ?? '',
          find: findWith(matchers),
          out: '',
          err: '',
        });
      if (event.event === 'step' && event.state === 'failed') failedServer = event.server;
      if (event.event !== 'output') return;
      const command = running.get(event.server);
      if (command === undefined) return;
      if (event.stream === 'stderr') command.err ||= event.line.trim();
      else command.out ||= event.line.trim();
      for (const problem of command.find(event.line)) {
        const key = JSON.stringify([problem.file, problem.line, problem.column, problem.message]);
        if (!found.has(key) && found.size < mostProblems)
          found.set(key, { ...problem, directory: command.directory });
      }
    },
    collected: () => ({
      problems: [...found.values()],
      last: (where) => {
        const last =
          where === 'server' && failedServer === null
            ? undefined
            : running.get(where === 'here' ? null : failedServer);
        if (last === undefined) return undefined;
        const { step, command, out, err } = last;
        return { step, command, first: err === '' ? out : err };
      },
    }),
  };
}

/**
 * Where a printed path may lie in the project, the likeliest first.
 * @param above folders that a repository that holds the project may have its root in, the nearest first; with `/`.
 */
export function candidatePaths(
  { file, directory }: Pick<OutputProblem, 'file' | 'directory'>,
  above: readonly string[],
): readonly string[] {
  const slashed = file.replaceAll('\\', '/').replace(/^\.\//, '');
  const inside =
    directory !== '' && slashed.startsWith(`${directory}/`) ? slashed.slice(directory.length + 1) : undefined;
  if (inside === undefined && /^(\/|[A-Za-z]:)/.test(slashed)) return [slashed];
  return above.map((folder) => `${folder}/${inside ?? slashed}`);
}
