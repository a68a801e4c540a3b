/** A stage as an item of the tree. Pure. */
import type { HoldRecord } from '../engine/index.ts';
import { formatAge, type Translate } from '../format.ts';
import { currentWord } from '../editor/stepWords.ts';
import { percentOf } from '../report/progress.ts';
import { warned, type Item, type View } from './item.ts';
import { commitText } from './releaseItem.ts';
import { liveOf, type StageSnapshot } from './store.ts';

export function stageItem(id: string, snapshot: StageSnapshot, view: View): Item {
  const { entry, run, failure, known } = snapshot;
  const { t } = view;
  const hold = holdOf(known);
  const words = ['stage', run === undefined ? 'idle' : 'running'];
  if (entry.domain !== undefined) words.push('site');
  words.push(hold === undefined ? 'unheld' : 'held');
  const inMaintenance = isInMaintenance(known);
  if (entry.domain !== undefined) words.push(inMaintenance ? 'maintained' : 'served');
  const failed = failure !== undefined || known?.servers.some(({ error }) => error !== null) === true;
  return {
    id,
    label: entry.stage,
    description: run === undefined ? stageSummary(snapshot, view) : runSummary(run, t),
    tooltip: [
      [t('Stage'), entry.stage],
      [t('Branch'), entry.branch ?? t('the default branch')],
      ...(entry.protected ? [[t('Protected'), t('a run has to be confirmed')] as const] : []),
      ...(hold === undefined
        ? []
        : [
            [
              t('Held'),
              `${hold.user}@${hold.host} (${formatAge(hold.since, view.now, t)}): ${hold.why}`,
            ] as const,
            ...(hold.until === null ? [] : [[t('Held until'), view.localTime(hold.until)] as const]),
          ]),
      ...(inMaintenance ? [[t('Maintenance'), t('visitors get the maintenance page')] as const] : []),
      ...liveLines(snapshot, view),
      ...(known === undefined
        ? []
        : [[t('Asked'), view.localTime(new Date(known.at).toISOString())] as const]),
      ...(failure === undefined ? [] : [[t('Error'), failure.message] as const]),
    ],
    icon:
      run !== undefined || snapshot.loading
        ? { codicon: 'loading~spin' }
        : failed
          ? warned
          : hold !== undefined
            ? { codicon: 'debug-pause', color: 'list.warningForeground' }
            : entry.protected
              ? { codicon: 'shield' }
              : { file: 'stage' },
    expands: 'closed',
    context: words.join(' '),
    ...(entry.protected || hold !== undefined
      ? {
          spoken: [
            ...(entry.protected ? [t('protected')] : []),
            ...(hold === undefined ? [] : [t('held')]),
          ].join(', '),
        }
      : {}),
  };
}

/** On any one server it holds the stage. */
export function holdOf(known: StageSnapshot['known']): HoldRecord | undefined {
  // What was remembered from an earlier version has no such field.
  return known?.servers.flatMap(({ hold }) => hold ?? [])[0];
}

/** On any one server visitors get the maintenance page. */
function isInMaintenance(known: StageSnapshot['known']): boolean {
  // What was remembered from an earlier version has no such field.
  return known?.servers.some(({ maintenance }) => maintenance) === true;
}

function stageSummary({ known }: StageSnapshot, { now, t }: View): string {
  const live = liveOf(known);
  const parts: string[] = [];
  const hold = holdOf(known);
  const held = hold === undefined ? [] : [t('held: {0}', hold.why)];
  if (isInMaintenance(known)) parts.push(t('maintenance'));
  if (live.kind === 'mixed') parts.push(t('servers differ'));
  if (live.kind === 'none') parts.push(t('nothing deployed yet'));
  if (live.kind !== 'one') parts.push(...held);
  if (live.kind === 'one') {
    const { record } = live;
    if (record === undefined) parts.push(live.release);
    else
      parts.push(
        commitText(record.commit, record.name),
        formatAge(record.finished || record.started, now, t),
      );
    parts.push(...held);
    if (record?.unchecked === true) parts.push(t('unchecked'));
    if (known?.behind !== undefined && known.behind > 0) parts.push(t('{0} behind', known.behind));
  }
  return parts.join(' · ');
}

/** What is live, whole: the row itself may be cut. */
function liveLines({ known }: StageSnapshot, { t, localTime }: View): readonly (readonly [string, string])[] {
  const live = liveOf(known);
  if (live.kind !== 'one') return [];
  const { release, record } = live;
  return [
    [t('Live'), record === undefined ? release : `${record.commit} ${record.subject}`.trim()],
    ...(record === undefined
      ? []
      : ([
          [t('Deployed by'), record.deployed_by],
          [t('Finished'), localTime(record.finished)],
        ] as const)),
  ];
}

function runSummary(run: NonNullable<StageSnapshot['run']>, t: Translate): string {
  const step = currentWord(run, t);
  const what = run.dryRun ? t('dry run') : actionWord(run.action, t);
  const percent = `${String(percentOf(run))} %`;
  return step === '' ? `${what} · ${percent}` : `${what} · ${step} · ${percent}`;
}

function actionWord(action: string, t: Translate): string {
  switch (action) {
    case 'prune':
      return t('pruning');
    case 'rollback':
      return t('rolling back');
    case 'promote':
      return t('promoting');
    case 'maintenance':
      return t('changing the maintenance page');
    case 'down':
      return t('taking down');
    default:
      return t('deploying');
  }
}
