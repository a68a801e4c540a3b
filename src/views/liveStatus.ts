/** What is live, in the status bar: of the stage that matters most here. Pure. */
import { formatAge } from '../format.ts';
import type { View } from './item.ts';
import { commitText } from './releaseItem.ts';
import { holdOf } from './stageItem.ts';
import { liveOf, type StageId, type Store } from './store.ts';

export interface LiveStatus {
  readonly text: string;
  readonly tooltip: string;
}

/**
 * Undefined where nothing is known to be live.
 * @param chosen the stage that the project is compared with; without one the first protected stage that is known, else the first known.
 */
export function liveStatusOf(
  store: Store,
  chosen: StageId | undefined,
  { now, t }: View,
): LiveStatus | undefined {
  const entries = store.configurations().flatMap(({ stages }) => stages);
  const known = entries.filter((entry) => liveOf(store.snapshot(entry)?.known).kind === 'one');
  const first = known.find((entry) => entry.protected) ?? known[0];
  const stage = known.find(({ file, stage }) => file === chosen?.file && stage === chosen.stage) ?? first;
  if (stage === undefined) return undefined;
  const facts = store.snapshot(stage)?.known;
  const live = liveOf(facts);
  if (live.kind !== 'one') return undefined;
  const { record, release } = live;
  const behind = facts?.behind !== undefined && facts.behind > 0 ? ` · ${t('{0} behind', facts.behind)}` : '';
  const name = store.nameOf(stage);
  const hold = holdOf(facts);
  const held = hold === undefined ? '' : ` $(debug-pause) ${t('held')}`;
  const why = hold === undefined ? '' : `\n${t('held: {0}', hold.why)}`;
  const what = record === undefined ? release : commitText(record.commit, record.name);
  return {
    text: `$(${stage.protected ? 'shield' : 'layers'}) ${name} ${what}${behind}${held}`,
    tooltip:
      record === undefined
        ? `${t('Live on {0}', name)}${why}`
        : `${t('Live on {0}', name)}: ${record.subject} (${formatAge(record.finished, now, t)})${why}`,
  };
}
