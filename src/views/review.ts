/** The review of a dry run as the items of its view. Pure. */
import type { GoalProgress } from '../report/goals.ts';
import { countFiles, formatBytes, shortCommit, type Translate } from '../format.ts';
import {
  fileKinds,
  filesOf,
  isPending,
  stepsOf,
  type ChangeEvent,
  type FileFinding,
  type Findings,
  type StepEvent,
  type StepFinding,
} from '../report/findings.ts';
import type { BuiltFiles } from '../editor/builtFiles.ts';
import type { DeployPlan, RunFinished } from '../engine/index.ts';
import { goalItem } from './goalItem.ts';
import { failed, passed, warned, type Icon, type Item, type View } from './item.ts';
import type { Basis, Staleness } from './staleness.ts';
import type { StageId } from './store.ts';

/** A dry run that is being reviewed. */
export interface Review extends Findings {
  readonly stage: StageId;
  /** What was asked for instead of the stage's branch; a deploy from the review is of the same. */
  readonly ref: string | undefined;
  readonly finished: RunFinished;
  /** The commit that is live now, where it is one and known. */
  readonly live: string | undefined;
  /** What `before_deploy` made, where the dry run ran it. */
  readonly built: BuiltFiles | undefined;
  /** All of it by digests, where what would be sent was known: a deploy from the review does that, or nothing. */
  readonly plan: DeployPlan | undefined;
  /** What it was found from: it may change. */
  readonly basis: Basis;
}

export type ReviewNode =
  /** Lists what `before_deploy` makes, too. */
  | { readonly kind: 'build' }
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'goal'; readonly finding: GoalProgress }
  | { readonly kind: 'step'; readonly finding: StepFinding }
  | { readonly kind: 'command'; readonly index: number }
  | { readonly kind: 'warning'; readonly index: number }
  | { readonly kind: 'file'; readonly change: FileFinding }
  | { readonly kind: 'more'; readonly group: Group; readonly count: number };

export type Group = 'warnings' | 'goals' | 'steps' | 'commands' | ChangeEvent['kind'];

/** More files than this are only counted: nobody reads on. */
const shownFiles = 2000;

export function reviewChildren(review: Review, node: ReviewNode | undefined): readonly ReviewNode[] {
  if (node === undefined)
    return [
      ...(review.notListed === 'nothing' ? [] : [{ kind: 'build' } as const]),
      ...(review.warnings.length === 0 ? [] : [{ kind: 'group', group: 'warnings' } as const]),
      ...(review.goals.length === 0 ? [] : [{ kind: 'group', group: 'goals' } as const]),
      ...(plannedSteps(review).length === 0 ? [] : [{ kind: 'group', group: 'steps' } as const]),
      ...(review.commands.length === 0 ? [] : [{ kind: 'group', group: 'commands' } as const]),
      ...fileKinds
        .filter((kind) => review.changes.some((change) => change.kind === kind))
        .map((group) => ({ kind: 'group', group }) as const),
    ];
  if (node.kind !== 'group') return [];
  switch (node.group) {
    case 'warnings':
      return review.warnings.map((_, index) => ({ kind: 'warning', index }));
    case 'goals':
      return review.goals.map((finding) => ({ kind: 'goal', finding }));
    case 'steps':
      return plannedSteps(review).map((finding) => ({ kind: 'step', finding }));
    case 'commands':
      return review.commands.map((_, index) => ({ kind: 'command', index }));
    default: {
      const files = filesOf(review, node.group);
      const shown = files.slice(0, shownFiles).map((change): ReviewNode => ({ kind: 'file', change }));
      const rest = files.length - shown.length;
      return rest === 0 ? shown : [...shown, { kind: 'more', group: node.group, count: rest }];
    }
  }
}

export function reviewItem(review: Review, node: ReviewNode, view: View): Item {
  const { t } = view;
  switch (node.kind) {
    case 'build':
      return leaf('build', t('Build and List Files'), {
        description: t('runs before_deploy in a scratch folder'),
        icon: { codicon: 'tools' },
        context: 'build',
      });
    case 'group':
      return groupItem(review, node.group, view);
    case 'goal':
      return goalItem(`goal ${node.finding.goal}`, node.finding, view);
    case 'step':
      return stepItem(node.finding, view);
    case 'command': {
      const command = review.commands[node.index];
      return leaf(`command ${String(node.index)}`, command?.command ?? '', {
        description: [command?.step ?? '', command?.server ?? t('on this machine')].join(' · '),
        icon: { codicon: 'terminal' },
        context: 'command',
      });
    }
    case 'warning': {
      const warning = review.warnings[node.index];
      return leaf(`warning ${String(node.index)}`, warning?.message ?? '', {
        description: warning?.server ?? '',
        icon: warned,
        context: 'warning',
      });
    }
    case 'file':
      return fileItem(node.change, view);
    case 'more':
      return leaf(`more ${node.group}`, t('… and {0} more, listed in the output', node.count), {
        description: '',
        icon: undefined,
        context: 'more',
      });
  }
}

function stepItem({ step, state, reason, servers }: StepFinding, { t }: View): Item {
  const words: Readonly<Record<StepEvent['state'], string>> = {
    pending: t('pending'),
    running: t('pending'),
    done: t('already done'),
    already: t('already done'),
    skipped: t('skipped'),
    failed: t('failed'),
  };
  const icons: Readonly<Record<StepEvent['state'], Icon>> = {
    pending: { codicon: 'circle-outline' },
    running: { codicon: 'circle-outline' },
    done: passed,
    already: passed,
    skipped: { codicon: 'circle-slash', color: 'disabledForeground' },
    failed,
  };
  const parts = [
    words[state],
    ...(servers.length === 0 ? [] : [servers.join(', ')]),
    ...(reason === null ? [] : [reason]),
  ];
  return {
    ...leaf(`step ${step} ${servers.join(' ')}`, step, {
      description: parts.join(' · '),
      icon: icons[state],
      context: 'step',
    }),
    tooltip: [[step, parts.join(' · ')]],
  };
}

function groupItem(review: Review, group: Group, { t }: View): Item {
  const files = group === 'deleted' || group === 'changed' || group === 'added' ? filesOf(review, group) : [];
  const bytes = formatBytes(files.reduce((sum, file) => sum + file.bytes, 0));
  const pending = plannedSteps(review).filter(({ state }) => state === 'pending').length;
  const missing = review.goals.filter(({ state }) => state !== 'already').length;
  const looks: Readonly<Record<Group, { label: string; description: string; icon: Icon }>> = {
    warnings: {
      label: t('Warnings'),
      description: '',
      icon: warned,
    },
    goals: {
      label: t('Goals'),
      description: missing === 0 ? t('all achieved already') : t('{0} not achieved', missing),
      icon: { codicon: 'target' },
    },
    steps: {
      label: t('Steps'),
      description: pending === 0 ? t('all done already') : t('{0} pending', pending),
      icon: { codicon: 'checklist' },
    },
    commands: { label: t('Commands'), description: t('that would run'), icon: { codicon: 'terminal' } },
    deleted: {
      label: t('{0} deleted', countFiles(files.length, t)),
      description: bytes,
      icon: { codicon: 'trash', color: 'list.errorForeground' },
    },
    changed: {
      label: t('{0} changed', countFiles(files.length, t)),
      description: bytes,
      icon: { codicon: 'edit', color: 'gitDecoration.modifiedResourceForeground' },
    },
    added: {
      label: t('{0} added', countFiles(files.length, t)),
      description: bytes,
      icon: { codicon: 'add', color: 'gitDecoration.addedResourceForeground' },
    },
  };
  const { label, description, icon } = looks[group];
  // Everything is open at once, but for what is long and needs no second look.
  const long = group === 'added' && files.length > 100;
  return {
    id: `group ${group}`,
    label,
    description,
    tooltip: [],
    icon,
    expands: long || (group === 'steps' && pending === 0) ? 'closed' : 'open',
    context: `group ${group}`,
  };
}

function fileItem({ path, kind, bytes, servers }: FileFinding, { t }: View): Item {
  const icons: Readonly<Record<ChangeEvent['kind'], Icon>> = {
    deleted: { codicon: 'diff-removed', color: 'gitDecoration.deletedResourceForeground' },
    changed: { codicon: 'diff-modified', color: 'gitDecoration.modifiedResourceForeground' },
    added: { codicon: 'diff-added', color: 'gitDecoration.addedResourceForeground' },
  };
  const slash = path.lastIndexOf('/');
  const words = { deleted: t('deleted'), changed: t('changed'), added: t('added') };
  return {
    ...leaf(`file ${kind} ${path}`, path.slice(slash + 1), {
      description: [
        ...(slash === -1 ? [] : [path.slice(0, slash)]),
        ...(kind === 'deleted' ? [t('deleted')] : [formatBytes(bytes)]),
        ...(servers.length === 0 ? [] : [t('only on {0}', servers.join(', '))]),
      ].join(' · '),
      icon: icons[kind],
      context: `file ${kind}`,
    }),
    tooltip: [[words[kind], path]],
  };
}

function leaf(
  id: string,
  label: string,
  rest: { readonly description: string; readonly icon: Icon | undefined; readonly context: string },
): Item {
  return { id, label, tooltip: [], expands: 'no', ...rest };
}

/** Connecting and fetching is how a dry run finds out, not what a deploy would do. */
function plannedSteps(review: Review): readonly StepFinding[] {
  return stepsOf(review).filter(({ step }) => step !== 'connect' && step !== 'fetch' && step !== 'resolve');
}

export function stalenessText(why: Staleness, t: Translate): string {
  switch (why) {
    case 'live':
      return t('Something else is live now than what it was compared with.');
    case 'configuration':
      return t('durant.conf has been changed since.');
    case 'commits':
      return t('The branch has commits that are not in it.');
  }
}

/** What a review says above its list. */
export function summaryOf(review: Review, view: View): string {
  const outcome = outcomeOf(review, view);
  if (review.notListed !== 'build output') return outcome;
  const { t } = view;
  // What an earlier deploy built is live, and not in the commit: it may well be built again.
  const missing = review.changes.some(({ kind }) => kind === 'deleted')
    ? t('What before_deploy makes is not listed, or is listed as deleted.')
    : t('What before_deploy makes is not listed.');
  return `${outcome} ${missing}`;
}

function outcomeOf(review: Review, { t }: View): string {
  const commit = review.finished.commit === null ? '' : shortCommit(review.finished.commit);
  if (!isPending(review))
    return t('{0}: {1} is live already. A deploy would change nothing.', review.stage.stage, commit);
  if (review.goals.some(({ goal, state }) => goal === 'deploy' && state === 'already')) {
    const pending = review.goals.filter(({ state }) => state === 'pending').map(({ goal }) => goal);
    return t(
      '{0}: {1} is live already; still to do: {2}. Nothing was changed.',
      review.stage.stage,
      commit,
      pending.join(', '),
    );
  }
  if (review.notListed === 'any file')
    return t(
      '{0}: {1} would go live. No file is listed: before_deploy makes all that is sent. Nothing was changed.',
      review.stage.stage,
      commit,
    );
  const counts = fileKinds.flatMap((kind) => {
    const { length } = filesOf(review, kind);
    if (length === 0) return [];
    if (kind === 'deleted') return [t('{0} to delete', length)];
    return [kind === 'changed' ? t('{0} to change', length) : t('{0} to add', length)];
  });
  const files = counts.length === 0 ? t('no file differs') : counts.join(', ');
  return t('{0}: {1} would go live: {2}. Nothing was changed.', review.stage.stage, commit, files);
}
