/** Hooks that never run, as the step that they belong to is left out. */
import type { ConfOption } from '../syntax/document.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import { isOptionalStep, STEP_OPTIONS, type OptionalStep } from '../options/stepOptions.ts';
import { itemsOf } from '../values/resolvers.ts';
import { knownStrategy, removeOption, written, type SectionView } from './view.ts';

/** Hooks written in a stage for steps that it does not have. */
export function idleHooks(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  return ownHooks(view).flatMap(({ option, step }) => {
    if (mayHave(view, step)) return [];
    const strategy = knownStrategy(view);
    const options = STEP_OPTIONS[step];
    const names = options.join(' or ');
    const reason = options.some((key) => goesWith(view, key, strategy))
      ? `the stage has no ${names}. Add ${names}, or remove the hook.`
      : `strategy: ${strategy ?? ''} has no ${names}. Remove the hook, or change the strategy.`;
    return [neverRuns(view, option, reason)];
  });
}

/** Hooks written in `[DEFAULT]` for steps that no stage has. */
export function idleDefaultHooks(defaults: SectionView, all: readonly SectionView[]): readonly Problem[] {
  const stages = all.filter((view) => view.place === 'stage');
  if (stages.length === 0) return [];
  return ownHooks(defaults).flatMap(({ option, step }) => {
    if (stages.some((view) => mayHave(view, step))) return [];
    const names = STEP_OPTIONS[step].join(' or ');
    return [neverRuns(defaults, option, `no stage has ${names}. Add ${names}, or remove the hook.`)];
  });
}

/** The hooks that this very section sets, of steps that can be left out. */
function ownHooks(
  view: SectionView,
): readonly { readonly option: ConfOption; readonly step: OptionalStep }[] {
  return [...view.section.options.values()].flatMap((option) => {
    const step = /^(?:before|after)_(.+)$/.exec(option.key)?.[1];
    if (step === undefined || !isOptionalStep(step) || !Object.hasOwn(view.table, option.key)) return [];
    return (written(view, option.key)?.value ?? '') === '' ? [] : [{ option, step }];
  });
}

/** Whether a stage has a step, or may have it once resolvers have run. */
function mayHave(view: SectionView, step: OptionalStep): boolean {
  const strategy = knownStrategy(view);
  return STEP_OPTIONS[step].some((key) => {
    const found = view.values.get(key);
    if (found === undefined || !goesWith(view, key, strategy)) return false;
    return found.broken || itemsOf(view.table[key]?.kind ?? 'list', found.value).length > 0;
  });
}

function goesWith(view: SectionView, key: string, strategy: string | undefined): boolean {
  const only = view.table[key]?.strategy;
  return only === undefined || strategy === undefined || only === strategy;
}

function neverRuns(view: SectionView, option: ConfOption, reason: string): Problem {
  return problem('hook-never-runs', option.keyRange, `${option.key} never runs: ${reason}`, {
    key: option.key,
    fixes: [removeOption(view.doc, option)],
  });
}
