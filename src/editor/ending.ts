/** How a run ended, as the one message that is shown, and which buttons help. Pure. */
import type { ErrorCode } from '../errors.ts';
import type { RunError, RunFinished } from '../engine/index.ts';
import type { GoalProgress, GoalState } from '../report/goals.ts';
import { countServers, formatDuration, shortCommit, type Translate } from '../format.ts';

/** What a button of a message does. */
export type Remedy =
  | 'show-output'
  | 'show-problems'
  | 'roll-back'
  /** Makes live what was live before the rollback. */
  | 'undo'
  | 'unlock'
  | 'release-hold'
  | 'maintenance-off'
  /** Deploys once whoever holds the lock has ended. */
  | 'wait'
  | 'prune'
  | 'git-setting'
  /** To the host that the repository is fetched from. */
  | 'sign-in'
  /** Copies the command that the error names. */
  | 'copy-command'
  | 'open-configuration'
  | 'go-to-problem'
  | 'retry'
  /** The dry run again, whose review is open. */
  | 'review-again'
  /** Without the plan that is stale. */
  | 'anyway'
  | 'deploy';

export interface Ending {
  readonly level: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly remedies: readonly Remedy[];
  /** What `sign-in` signs in to. */
  readonly origin?: string | undefined;
  /** What `copy-command` copies. */
  readonly command?: string | undefined;
}

/** `restore` is a rollback to a newer release. */
export type Action =
  'deploy' | 'rollback' | 'restore' | 'prune' | 'promote' | 'maintenance-on' | 'maintenance-off' | 'down';

/** What is known of a failure beside its error. */
export interface Failed {
  readonly stage: string;
  readonly finished?: RunFinished | undefined;
  /** Whether its output had problems that are listed. */
  readonly hasProblems?: boolean;
  /** The first line that the failed command printed; empty for none. */
  readonly printed?: string;
  /** Whether it can be done again once the lock is free. */
  readonly mayWait?: boolean;
}

export interface Ended extends Pick<Failed, 'hasProblems' | 'printed' | 'mayWait'> {
  readonly stage: string;
  readonly action: Action;
  /** What takes back what was done; undefined where there is nothing to go back to. */
  readonly back: Extract<Remedy, 'roll-back' | 'undo'> | undefined;
  readonly finished: RunFinished;
  /** Of its pipeline, where that is more than the deploy. */
  readonly goals: readonly GoalProgress[];
  /** How long it took, ms. */
  readonly ms: number;
}

export function endingOf(ended: Ended, t: Translate): Ending {
  const { finished, goals } = ended;
  if (finished.error !== null) return failureOf(finished.error, ended, t);
  const ending = successOf(ended, t);
  const warned = namesOf(goals, 'warned');
  if (warned === '') return ending;
  return {
    ...ending,
    level: 'warning',
    message: `${ending.message} ${t('Optional goals failed: {0}.', warned)}`,
  };
}

function namesOf(goals: readonly GoalProgress[], ...states: readonly GoalState[]): string {
  return goals.flatMap(({ goal, state }) => (states.includes(state) ? [goal] : [])).join(', ');
}

function successOf({ stage, action, back, finished, goals, ms }: Ended, t: Translate): Ending {
  const release = finished.release ?? (finished.commit === null ? '' : shortCommit(finished.commit));
  const servers = countServers(finished.servers.length, t);
  const unchanged = finished.servers.every(({ state }) => state === 'unchanged');
  const achieved = namesOf(goals, 'newly', 'passed');
  if (unchanged && achieved !== '')
    return {
      level: 'info',
      message: t(
        '{0}: {1} was live already on {2}; done now: {3} ({4}).',
        stage,
        release,
        servers,
        achieved,
        formatDuration(ms),
      ),
      remedies: ['show-output'],
    };
  if (unchanged)
    return {
      level: 'info',
      message: t('{0}: {1} was live already on {2}. Nothing was changed.', stage, release, servers),
      remedies: ['show-output'],
    };
  const time = formatDuration(ms);
  const message =
    action === 'rollback'
      ? t('{0} is rolled back: {1} is live on {2} ({3}).', stage, release, servers, time)
      : action === 'restore'
        ? t('{0}: {1} is live again on {2} ({3}).', stage, release, servers, time)
        : t('{0} is live: {1} on {2} ({3}).', stage, release, servers, time);
  return { level: 'info', message, remedies: ['show-output', ...(back === undefined ? [] : [back])] };
}

/** A failure's own sentence, where each server stands if that needs to be said, and the button that fixes it. */
export function failureOf(
  error: RunError,
  { stage, finished, hasProblems = false, printed = '', mayWait = false }: Failed,
  t: Translate,
): Ending {
  if (error.code === 'confirmation-needed')
    return { level: 'info', message: t('{0}: not confirmed. Nothing was changed.', stage), remedies: [] };
  if (error.code === 'cancelled') {
    const after = error.changed
      ? t('Something was changed and not put back: look at the servers before you go on.')
      : finished?.servers.some(({ current }) => current !== null) === true
        ? t('The previous release is still live.')
        : t('No release was made live.');
    return {
      level: error.changed ? 'warning' : 'info',
      message: `${t('{0}: cancelled.', stage)} ${after}`,
      remedies: ['show-output'],
    };
  }
  const problem = error.data?.problem;
  if (problem !== undefined)
    return {
      level: 'error',
      message: t('{0}: durant.conf, line {1}: {2}', stage, problem.line, problem.message),
      remedies: ['go-to-problem'],
    };
  const { summary = error.message, remedy: text = '' } = error;
  const command = error.data?.command;
  // Where a goal after the deploy failed, the summary says itself what is live.
  const standing =
    error.code === 'goal-failed'
      ? ''
      : error.changed
        ? ` ${t('Something was changed and not put back: look at the servers before you go on.')}`
        : finished?.servers.some(({ state }) => state === 'reverted') === true
          ? ` ${t('The previous release is live again.')}`
          : '';
  return {
    level: 'error',
    message: `${stage}: ${summary}${printed === '' ? '' : ` “${printed}”`}${standing}${hasButton(text, command) ? '' : ` ${text}`}`,
    command,
    remedies: [
      ...(hasProblems ? ['show-problems' as const] : []),
      ...(REMEDIES[error.code] ?? (['retry'] as const)).filter(
        (remedy) =>
          (remedy !== 'wait' || mayWait) &&
          (remedy !== 'sign-in' || error.data?.signIn !== undefined) &&
          (remedy !== 'copy-command' || command !== undefined),
      ),
      'show-output',
    ],
    ...(error.data?.signIn === undefined ? {} : { origin: error.data.signIn }),
  };
}

/** What a command of Durant would do, the buttons do here. */
function hasButton(remedy: string, command: string | undefined): boolean {
  return remedy === '' || command?.startsWith('durant ') === true;
}

const CONFIGURATION: readonly Remedy[] = ['open-configuration', 'retry'];
const REMEDIES: Partial<Readonly<Record<ErrorCode, readonly Remedy[]>>> = {
  locked: ['unlock', 'wait', 'retry'],
  'plan-stale': ['review-again', 'anyway'],
  held: ['release-hold', 'retry'],
  'disk-full': ['prune', 'retry'],
  'git-missing': ['git-setting', 'retry'],
  'config-not-found': [],
  'config-invalid': ['open-configuration'],
  'unknown-stage': ['open-configuration'],
  'unknown-server': ['open-configuration'],
  'unknown-role': ['open-configuration'],
  'unresolved-value': CONFIGURATION,
  'temp-dir-refused': CONFIGURATION,
  'branch-not-found': CONFIGURATION,
  'repository-unreachable': ['sign-in', ...CONFIGURATION],
  'host-unreachable': CONFIGURATION,
  'host-unknown': CONFIGURATION,
  'authentication-failed': CONFIGURATION,
  'unmanaged-project-dir': ['open-configuration'],
  'path-not-writable': CONFIGURATION,
  'current-is-folder': ['open-configuration'],
  'layout-unsupported': [],
  'host-key-changed': ['copy-command'],
  'host-key-revoked': [],
  'no-rollback-candidate': [],
  'goal-failed': ['retry', 'open-configuration'],
  'local-command-failed': CONFIGURATION,
  'remote-command-failed': CONFIGURATION,
  internal: ['retry'],
};

/** The key of durant.conf that a failure is about, to open it there. */
export function keyOf(code: ErrorCode): string | undefined {
  return KEYS[code];
}

const KEYS: Partial<Readonly<Record<ErrorCode, string>>> = {
  'temp-dir-refused': 'temp_dir',
  'branch-not-found': 'branch',
  'repository-unreachable': 'repository',
  'host-unreachable': 'server',
  'host-unknown': 'server',
  'authentication-failed': 'server',
  'unknown-server': 'server',
  'unknown-role': 'server',
  'unmanaged-project-dir': 'project_dir',
  'path-not-writable': 'project_dir',
  'current-is-folder': 'current_path',
  'health-check-failed': 'health_check',
};
