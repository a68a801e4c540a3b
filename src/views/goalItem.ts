/** A goal of a run or of its review, as an item. Pure. */
import type { GoalProgress, GoalState } from '../report/goals.ts';
import type { Translate } from '../format.ts';
import { failed, passed, warned, type Icon, type Item, type View } from './item.ts';

const ICONS: Readonly<Record<GoalState, Icon>> = {
  pending: { codicon: 'circle-outline' },
  running: { codicon: 'loading~spin' },
  already: passed,
  newly: { codicon: 'pass-filled', color: 'testing.iconPassed' },
  passed,
  failed,
  warned,
  unknown: { codicon: 'question', color: 'list.warningForeground' },
  left: { codicon: 'circle-slash', color: 'disabledForeground' },
};

/** States whose reason is what one wants to know first. */
const REASONED: readonly GoalState[] = ['pending', 'failed', 'warned', 'unknown'];

export function goalItem(id: string, { goal, state, reason }: GoalProgress, { t }: View): Item {
  const word = goalWord(state, t);
  const why = reason === undefined ? '' : reason.trim();
  return {
    id,
    label: goal,
    description:
      why !== '' && REASONED.includes(state) ? `${word}: ${why.replace(/\s*\r?\n\s*/g, ' · ')}` : word,
    tooltip: [[t('Goal'), goal], [t('State'), word], ...(why === '' ? [] : [[t('Reason'), why] as const])],
    icon: ICONS[state],
    expands: 'no',
    context: `goal ${state}`,
  };
}

function goalWord(state: GoalState, t: Translate): string {
  switch (state) {
    case 'pending':
      return t('pending');
    case 'running':
      return t('running');
    case 'already':
      return t('already achieved');
    case 'newly':
      return t('newly achieved');
    case 'passed':
      return t('passed');
    case 'failed':
      return t('failed');
    case 'warned':
      return t('failed, which is only a warning');
    case 'unknown':
      return t('unknown');
    case 'left':
      return t('not run');
  }
}
