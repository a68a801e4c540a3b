/** The review of a dry run as the items of its view. Pure. */
import type { GoalProgress } from '../editor/goalProgress.ts';
import { countFiles, formatBytes } from '../editor/measures.ts';
import {
  fileKinds,
  filesOf,
  stepsOf,
  type ChangeEvent,
  type FileFinding,
  type Review,
  type StepEvent,
  type StepFinding,
} from './findings.ts';
import { goalItem } from './goalItem.ts';
import { failed, passed, warned, type Icon, type Item, type View } from './item.ts';

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
      ...(review.steps.length === 0 ? [] : [{ kind: 'group', group: 'steps' } as const]),
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
      return stepsOf(review).map((finding) => ({ kind: 'step', finding }));
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
  const pending = stepsOf(review).filter(({ state }) => state === 'pending').length;
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
