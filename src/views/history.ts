/** The runs of all stages, as the servers have noted them, as items of their view. Pure. */
import type { HistoryEntry, StageLog } from '../engine/index.ts';
import { formatAge, formatDuration, shortCommit, type Translate } from '../format.ts';
import { printable } from '../printable.ts';
import { failed, warned, type Icon, type Item, type View } from './item.ts';
import type { StageId } from './store.ts';

/** What the servers of a stage said. */
export interface StageHistory extends StageId {
  /** As messages call it. */
  readonly name: string;
  /** Newest first. */
  readonly runs: readonly HistoryEntry[];
  readonly errors: StageLog['errors'];
}

/** A commit that a run made live or undid. */
export interface RunCommit {
  /** Full id. */
  readonly id: string;
  readonly subject: string;
  readonly author: string;
}

/** One run of a stage. */
export interface RunNode extends StageId {
  readonly kind: 'run';
  readonly name: string;
  readonly run: HistoryEntry;
}

export type HistoryNode =
  | RunNode
  /** A server that could not be asked. */
  | ({ readonly kind: 'unasked'; readonly server: string; readonly error: string } & StageId)
  | { readonly kind: 'error'; readonly of: RunNode }
  | { readonly kind: 'commit'; readonly of: RunNode; readonly commit: RunCommit }
  | { readonly kind: 'note'; readonly of: RunNode; readonly text: string; readonly codicon: string };

/** Actions that may make something else live. */
const DEPLOYING = ['deploy', 'rollback', 'promote', 'adopt', 'dead_man'];

export function historyRoots(history: readonly StageHistory[]): readonly HistoryNode[] {
  const runs = history.flatMap(({ file, stage, name, runs: all }) =>
    all.map((run): RunNode => ({ kind: 'run', file, stage, name, run })),
  );
  return [
    ...history.flatMap(({ file, stage, errors }) =>
      errors.map(({ server, error }): HistoryNode => ({ kind: 'unasked', file, stage, server, error })),
    ),
    ...runs.toSorted((a, b) => (a.run.started < b.run.started ? 1 : -1)),
  ];
}

/**
 * What is below a run: its error, its commits, where it was.
 * @param commits that it made live or undid; undefined where the clone here does not know them.
 */
export function belowRun(
  node: RunNode,
  commits: readonly RunCommit[] | undefined,
  t: Translate,
): readonly HistoryNode[] {
  const { run } = node;
  return [
    ...(run.error === null ? [] : [{ kind: 'error', of: node } as const]),
    ...(commits ?? []).map((commit): HistoryNode => ({ kind: 'commit', of: node, commit })),
    ...(commits === undefined && hasCommits(run)
      ? [note(node, t('Its commits are not in the clone here'), 'question')]
      : []),
    ...(run.servers.length === 0 ? [] : [note(node, run.servers.join(', '), 'server')]),
  ];
}

/** Whether it changed from one commit to another. */
export function hasCommits({ commit, from_commit, action }: HistoryEntry): boolean {
  return DEPLOYING.includes(action) && commit !== null && from_commit !== null && commit !== from_commit;
}

/** Whether it has made live what it was about. */
export function isDeploying({ action, ok }: HistoryEntry): boolean {
  return ok && DEPLOYING.includes(action);
}

/** @param kept whether its output is kept here. */
export function historyItem(node: HistoryNode, view: View, kept: (run: HistoryEntry) => boolean): Item {
  const { t } = view;
  switch (node.kind) {
    case 'run':
      return runItem(node, view, kept(node.run));
    case 'unasked':
      return leaf(`unasked ${node.file} ${node.stage} ${node.server}`, node.server, {
        description: t('not reached'),
        icon: warned,
        tooltip: [[t('Error'), node.error]],
      });
    case 'error': {
      const { error } = node.of.run;
      return leaf(`error ${idOf(node.of)}`, printable(error?.message ?? ''), {
        description: '',
        icon: failed,
        tooltip: [[t('Error'), `${error?.message ?? ''} [${error?.code ?? ''}]`]],
      });
    }
    case 'commit': {
      const { id, subject, author } = node.commit;
      return leaf(`commit ${idOf(node.of)} ${id}`, printable(subject), {
        description: `${shortCommit(id)} · ${printable(author.replace(/ <.*$/, ''))}`,
        icon: { codicon: 'git-commit' },
        tooltip: [
          [t('Commit'), id],
          [t('Subject'), subject],
          [t('Author'), author],
        ],
      });
    }
    case 'note':
      return leaf(`note ${node.codicon} ${idOf(node.of)}`, printable(node.text), {
        description: '',
        icon: { codicon: node.codicon },
        tooltip: [],
      });
  }
}

function runItem(node: RunNode, { t, now, localTime }: View, isKept: boolean): Item {
  const { run, name } = node;
  const what = actionText(run, t);
  const words = ['run', isKept ? 'logged' : 'unlogged'];
  if (run.commit !== null) words.push('commit');
  if (hasCommits(run)) words.push('comparable');
  const parts = [
    commitsText(run),
    formatAge(run.started, now, t),
    `${run.user}@${run.host}`,
    ...(run.ms === null ? [] : [formatDuration(run.ms)]),
  ];
  return {
    id: `run ${idOf(node)}`,
    label: `${name}: ${what}`,
    description: parts.filter((part) => part !== '').join(' · '),
    tooltip: [
      [t('Stage'), name],
      [t('What'), what],
      [t('When'), localTime(run.started)],
      [t('Who'), `${run.user}@${run.host}`],
      ...(run.release === null ? [] : [[t('Release'), run.release] as const]),
      ...(run.commit === null ? [] : [[t('Commit'), run.commit] as const]),
      ...(run.from_commit === null ? [] : [[t('Before'), run.from_commit] as const]),
      ...(run.ms === null ? [] : [[t('Took'), formatDuration(run.ms)] as const]),
      ...(run.servers.length === 0 ? [] : [[t('Servers'), run.servers.join(', ')] as const]),
      ...(run.error === null ? [] : [[t('Error'), run.error.message] as const]),
    ],
    icon: iconOf(run),
    expands: run.error !== null || run.servers.length > 0 || hasCommits(run) ? 'closed' : 'no',
    context: words.join(' '),
  };
}

/** `abc1234 → def5678`, or the one that there is. */
export function commitsText({ commit, from_commit: from }: HistoryEntry): string {
  if (commit === null) return '';
  return from === null || from === commit
    ? shortCommit(commit)
    : `${shortCommit(from)} → ${shortCommit(commit)}`;
}

/** What was done, or was to be. */
export function actionText({ action, ok }: HistoryEntry, t: Translate): string {
  switch (action) {
    case 'deploy':
      return ok ? t('deployed') : t('deploy failed');
    case 'rollback':
      return ok ? t('rolled back') : t('rollback failed');
    case 'promote':
      return ok ? t('promoted') : t('promotion failed');
    case 'dead_man':
      return t('put back by the server');
    case 'hold':
      return t('held');
    case 'unhold':
      return t('hold released');
    case 'maintenance':
      return ok ? t('maintenance changed') : t('maintenance failed');
    case 'unlock':
      return t('unlocked');
    case 'prune':
      return ok ? t('pruned') : t('pruning failed');
    default:
      return ok ? action : t('{0} failed', action);
  }
}

function iconOf({ action, ok }: HistoryEntry): Icon {
  if (action === 'dead_man') return warned;
  if (!ok) return failed;
  return { codicon: ICONS[action] ?? 'circle-outline' };
}

const ICONS: Readonly<Record<string, string>> = {
  deploy: 'rocket',
  rollback: 'discard',
  promote: 'arrow-up',
  hold: 'debug-pause',
  unhold: 'debug-continue',
  maintenance: 'tools',
  unlock: 'unlock',
  prune: 'trash',
};

export function idOf({ file, stage, run }: RunNode): string {
  return JSON.stringify([file, stage, run.run ?? `${run.started} ${run.action}`]);
}

function note(of: RunNode, text: string, codicon: string): HistoryNode {
  return { kind: 'note', of, text, codicon };
}

function leaf(id: string, label: string, rest: Pick<Item, 'description' | 'icon' | 'tooltip'>): Item {
  return { id, label, expands: 'no', context: 'fact', ...rest };
}
