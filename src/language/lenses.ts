/** CodeLens: what can be done with a stage, and what is live there once that is known. */
import type { ConfDocument, Range } from '../config/syntax/document.ts';
import type { StageLive, Translate } from './languageFacts.ts';
import { blocksOf, roleOf } from './layout.ts';

export type LensAction = 'live' | 'deploy' | 'dry-run' | 'roll-back' | 'unlock' | 'check' | 'what-if';

export interface Lens {
  readonly stage: string;
  readonly range: Range;
  readonly action: LensAction;
  readonly title: string;
}

/**
 * Lenses above each stage's first header. `live` is asked for what is known already; nothing is found out for it.
 * @param whatIf what the changes that are not saved yet would do to a stage.
 */
export function lensesOf(
  doc: ConfDocument,
  live: (stage: string) => StageLive | undefined,
  t: Translate,
  whatIf: (stage: string) => readonly string[] = () => [],
): readonly Lens[] {
  const seen = new Set<string>();
  return blocksOf(doc).flatMap(({ section, header }): readonly Lens[] => {
    const { place, name } = roleOf(doc, section);
    if (place !== 'stage' || seen.has(name)) return [];
    seen.add(name);
    const lens = (action: LensAction, title: string): Lens => ({
      stage: name,
      range: header.range,
      action,
      title,
    });
    const known = live(name);
    const effects = whatIf(name);
    return [
      lens('deploy', t('Deploy')),
      lens('dry-run', t('Dry run')),
      lens('roll-back', t('Roll back')),
      lens('unlock', t('Unlock')),
      known === undefined ? lens('check', t('Check connection')) : lens('live', liveTitle(known, t)),
      ...(effects.length === 0 ? [] : [lens('what-if', `$(lightbulb) ${effects.join(' · ')}`)]),
    ];
  });
}

function liveTitle(live: StageLive, t: Translate): string {
  const parts = [t('live: {0}', live.release)];
  if (!live.release.includes(live.commit)) parts.push(live.commit);
  parts.push(live.ageText);
  if (live.behind !== undefined && live.behind > 0) parts.push(t('{0} behind', live.behind));
  if (live.locked !== undefined) parts.push(t('locked by {0}', live.locked));
  if (live.held !== undefined) parts.push(t('held: {0}', live.held));
  return parts.filter((part) => part !== '').join(' · ');
}
