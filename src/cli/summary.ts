/** How a run ended, in words. Pure. */
import type { RunEvent, RunFinished, ServerOutcome } from '../engine/events.ts';
import { count, formatDuration } from '../format.ts';
import { errorText } from './errorText.ts';
import type { Colors } from './output.ts';
import { printable, printableLines } from '../printable.ts';

export type RunStarted = Extract<RunEvent, { event: 'run-started' }>;

export interface Ending {
  /** Undefined where the run failed before it started. */
  readonly started: RunStarted | undefined;
  readonly finished: RunFinished;
  /** Whether a dry run found something to do. */
  readonly pending: boolean;
  /** How many goals of the pipeline beside `deploy` were achieved, or passed. */
  readonly goals?: number;
  /** Milliseconds the run took. */
  readonly ms: number;
}

/** For standard output: what is live where. */
export function resultLines({ started, finished, pending, goals = 0, ms }: Ending, color: Colors): string[] {
  if (!finished.ok) return [];
  const stage = printable(started?.stage ?? '');
  const servers = count(finished.servers.length, 'server');
  const release = describeRelease(finished);
  const time = color.dim(`, ${formatDuration(ms)}`);
  if (finished.dry_run) {
    if (!pending)
      return [`${stage}: nothing to do${release === '' ? '' : `, ${release} is live`} (dry run).`];
    return [
      finished.release === null
        ? 'Nothing was changed (dry run).'
        : `Nothing was changed (dry run). ${stage} would have ${release} live on ${servers}.`,
    ];
  }
  if (started !== undefined && !['deploy', 'rollback', 'promote'].includes(started.action))
    return [`${color.green('Done')}: ${started.action} ${stage} on ${servers}${time}`];
  const achieved = goals === 0 ? 'nothing was changed' : `${count(goals, 'goal')} achieved`;
  if (finished.release === null)
    return [`${stage}: ${achieved}${release === '' ? '' : ` at ${release}`}${time}`];
  if (finished.servers.length > 0 && finished.servers.every(({ state }) => state === 'unchanged'))
    return [`${stage}: ${release} was live already on ${servers}; ${achieved}${time}`];
  const unlike = finished.servers.filter(({ state }) => state !== 'live');
  return [
    `${color.green(`${stage} is live`)}: ${release} on ${count(finished.servers.length - unlike.length, 'server')}${time}`,
    ...unlike.map((outcome) => `  ${outcomeLine(outcome, color)}`),
  ];
}

/** For standard error: what went wrong and how each server stands. */
export function failureLines({ finished }: Pick<Ending, 'finished'>, color: Colors): string[] {
  if (finished.error === null) return [];
  const { message, changed } = finished.error;
  const standing = finished.servers.map(
    (outcome) =>
      `  ${outcomeLine(outcome.error !== null && message.includes(outcome.error) ? { ...outcome, error: null } : outcome, color)}`,
  );
  return [
    `${color.red('durant:')} ${errorText(finished.error)}`,
    ...standing,
    ...(finished.servers.length === 0
      ? []
      : [
          finished.servers.some(({ state }) => state === 'live')
            ? `${describeRelease(finished)} is live; what failed comes after the deploy.`
            : changed
              ? 'Something on the servers was changed and not put back; durant status says how they stand.'
              : finished.servers.some(({ current }) => current !== null)
                ? 'The previous release is still live.'
                : 'No release was made live.',
        ]),
  ];
}

const stateWords: Readonly<Record<ServerOutcome['state'], string>> = {
  live: 'live',
  unchanged: 'unchanged',
  reverted: 'switched back',
  failed: 'failed',
  unknown: 'not known',
};

function outcomeLine({ server, state, current, error }: ServerOutcome, color: Colors): string {
  const word = stateWords[state];
  const painted = state === 'failed' || state === 'unknown' ? color.red(word) : word;
  const now = current === null ? '' : `, current is ${printable(current)}`;
  return `${printable(server)}: ${painted}${now}${error === null ? '' : `: ${printableLines(error)}`}`;
}

function describeRelease({ release, commit }: RunFinished): string {
  const id = commit === null ? '' : `commit ${printable(commit.slice(0, 12))}`;
  if (release === null) return id;
  return id === '' ? `release ${printable(release)}` : `release ${printable(release)} (${id})`;
}
