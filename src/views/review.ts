/** What a dry run found, as data: collected from its events, and as the items of the review. Pure. */
import { countFiles, formatBytes, shortCommit } from '../editor/measures.ts';
import type { RunEvent, RunFinished } from '../engine/index.ts';
import type { Icon, Item, View } from './nodes.ts';
import type { StageId } from './store.ts';

export type StepEvent = Extract<RunEvent, { event: 'step' }>;
export type ChangeEvent = Extract<RunEvent, { event: 'change' }>;
type CommandEvent = Extract<RunEvent, { event: 'command' }>;
type WarningEvent = Extract<RunEvent, { event: 'warning' }>;

/** Everything that a dry run said. */
export interface Findings {
  readonly steps: readonly StepEvent[];
  readonly commands: readonly CommandEvent[];
  readonly changes: readonly ChangeEvent[];
  readonly warnings: readonly WarningEvent[];
}

export interface Review extends Findings {
  readonly stage: StageId;
  /** What was asked for instead of the stage's branch; a deploy from the review is of the same. */
  readonly ref: string | undefined;
  readonly servers: readonly string[];
  readonly finished: RunFinished;
  /** The commit that is live now, where it is one and known. */
  readonly live: string | undefined;
}

export type ReviewNode =
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'step'; readonly finding: StepFinding }
  | { readonly kind: 'command'; readonly index: number }
  | { readonly kind: 'warning'; readonly index: number }
  | { readonly kind: 'file'; readonly change: FileFinding }
  | { readonly kind: 'more'; readonly group: Group; readonly count: number };

export type Group = 'warnings' | 'steps' | 'commands' | ChangeEvent['kind'];

/** A step and where it stands; servers that say the same of it are one. */
export interface StepFinding {
  readonly step: string;
  readonly state: StepEvent['state'];
  readonly reason: string | null;
  /** Empty: on all servers of the run, or on this machine. */
  readonly servers: readonly string[];
}

/** A file and on which servers it would change. */
export interface FileFinding {
  readonly path: string;
  readonly kind: ChangeEvent['kind'];
  readonly bytes: number;
  /** Empty: on all servers of the run. */
  readonly servers: readonly string[];
}

/** More files than this are only counted: nobody reads on. */
const shownFiles = 2000;
/** Deletions first: they are what a review is for. */
const kinds = ['deleted', 'changed', 'added'] as const;

/** Collects what a dry run says. Returns what takes its events, and what gives the findings so far. */
export function collectFindings(): {
  readonly take: (event: RunEvent) => void;
  readonly findings: () => Findings;
} {
  const steps = new Map<string, StepEvent>();
  const commands: CommandEvent[] = [];
  const changes: ChangeEvent[] = [];
  const warnings: WarningEvent[] = [];
  return {
    take: (event) => {
      if (event.event === 'step') steps.set(`${event.step}\0${event.server ?? ''}`, event);
      else if (event.event === 'command') commands.push(event);
      else if (event.event === 'change') changes.push(event);
      else if (event.event === 'warning' && event.code !== 'ssh-client') warnings.push(event);
    },
    findings: () => ({
      // Connecting and fetching is how a dry run finds out, not what a deploy would do.
      steps: [...steps.values()].filter(
        ({ step, state }) =>
          state !== 'running' && step !== 'connect' && step !== 'fetch' && step !== 'resolve',
      ),
      commands,
      changes,
      warnings,
    }),
  };
}

/** Whether a deploy would do anything. */
export function isPending(review: Review): boolean {
  return review.changes.length > 0 || review.steps.some(({ state }) => state === 'pending');
}

/** The files of one kind, each once, by path. */
export function filesOf(review: Review, kind: ChangeEvent['kind']): readonly FileFinding[] {
  const byPath = new Map<string, { bytes: number; servers: string[] }>();
  for (const change of review.changes) {
    if (change.kind !== kind) continue;
    const found = byPath.get(change.path);
    if (found === undefined) byPath.set(change.path, { bytes: change.bytes, servers: [change.server] });
    else found.servers.push(change.server);
  }
  const all = review.finished.servers.length;
  return [...byPath]
    .map(([path, { bytes, servers }]) => ({
      path,
      kind,
      bytes,
      servers: servers.length === all ? [] : servers,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The steps in the order of the run, each once for servers that agree on it. */
export function stepsOf(review: Review): readonly StepFinding[] {
  const names = new Set(review.steps.map(({ step }) => step));
  return [...names].flatMap((name) => {
    const groups = new Map<string, StepEvent[]>();
    for (const event of review.steps) {
      if (event.step !== name) continue;
      const key = `${event.state}\0${event.reason ?? ''}`;
      groups.set(key, [...(groups.get(key) ?? []), event]);
    }
    return [...groups.values()].map((events): StepFinding => {
      const servers = events.flatMap(({ server }) => (server === null ? [] : [server]));
      return {
        step: name,
        state: events[0]?.state ?? 'pending',
        reason: events[0]?.reason ?? null,
        servers: servers.length === review.servers.length ? [] : servers,
      };
    });
  });
}

/** One sentence above the list. */
export function summaryOf(review: Review, { t }: View): string {
  const commit = review.finished.commit === null ? '' : shortCommit(review.finished.commit);
  if (!isPending(review))
    return t('{0}: {1} is live already. A deploy would change nothing.', review.stage.stage, commit);
  const counts = kinds.flatMap((kind) => {
    const { length } = filesOf(review, kind);
    if (length === 0) return [];
    if (kind === 'deleted') return [t('{0} to delete', length)];
    return [kind === 'changed' ? t('{0} to change', length) : t('{0} to add', length)];
  });
  const files = counts.length === 0 ? t('no file differs') : counts.join(', ');
  return t('{0}: {1} would go live: {2}. Nothing was changed.', review.stage.stage, commit, files);
}

export function reviewChildren(review: Review, node: ReviewNode | undefined): readonly ReviewNode[] {
  if (node === undefined)
    return [
      ...(review.warnings.length === 0 ? [] : [{ kind: 'group', group: 'warnings' } as const]),
      ...(review.steps.length === 0 ? [] : [{ kind: 'group', group: 'steps' } as const]),
      ...(review.commands.length === 0 ? [] : [{ kind: 'group', group: 'commands' } as const]),
      ...kinds
        .filter((kind) => review.changes.some((change) => change.kind === kind))
        .map((group) => ({ kind: 'group', group }) as const),
    ];
  if (node.kind !== 'group') return [];
  switch (node.group) {
    case 'warnings':
      return review.warnings.map((_, index) => ({ kind: 'warning', index }));
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
    case 'group':
      return groupItem(review, node.group, view);
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
        icon: { codicon: 'warning', color: 'list.warningForeground' },
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
    done: { codicon: 'pass', color: 'testing.iconPassed' },
    already: { codicon: 'pass', color: 'testing.iconPassed' },
    skipped: { codicon: 'debug-step-over' },
    failed: { codicon: 'error', color: 'list.errorForeground' },
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
  const looks: Readonly<Record<Group, { label: string; description: string; icon: Icon }>> = {
    warnings: {
      label: t('Warnings'),
      description: '',
      icon: { codicon: 'warning', color: 'list.warningForeground' },
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
