/**
 * THE option table. Validation, completion, hover, docs/configuration.md, the README's table and the sample file all come from
 * it; tests fail when one of them drifts.
 */
import { BUILD_OPTIONS } from './buildOptions.ts';
import { GOAL_OPTIONS, GOAL_TYPES, goalOptions } from './goalOptions.ts';
import { HOOK_OPTIONS, PUBLISHING_OPTIONS } from './hookOptions.ts';
import type { OptionSpec, OptionTable, ValuesOf } from './optionSpec.ts';
import { PROCESS_OPTIONS } from './processOptions.ts';
import { SERVICE_OPTIONS } from './serviceOptions.ts';
import { SOURCE_OPTIONS } from './sourceOptions.ts';
import { TARGET_OPTIONS } from './targetOptions.ts';

export type { ItemForm, Kind, OptionSpec, OptionTable, OptionValue, Seed, TextForm } from './optionSpec.ts';
export { GOAL_OPTIONS, GOAL_TYPES, goalOptions, isGoalType, type GoalType } from './goalOptions.ts';
export { HOOK_STEPS, type HookStep } from './hookOptions.ts';
export { PROCESS_OPTIONS } from './processOptions.ts';

/** Every option of a stage (also in `[DEFAULT]`), by key, in the order of the reference. */
export const OPTIONS = {
  ...SOURCE_OPTIONS,
  ...TARGET_OPTIONS,
  ...BUILD_OPTIONS,
  ...HOOK_OPTIONS,
  ...PUBLISHING_OPTIONS,
  ...SERVICE_OPTIONS,
} as const satisfies OptionTable;

/** A key of a stage. */
export type OptionKey = keyof typeof OPTIONS;

/** The typed values of a stage, by the keys of the file; see `OptionValue` for the kinds. Produced by `resolveSettings`. */
export type Settings = ValuesOf<typeof OPTIONS>;

/** The typed values of `[process NAME]`. */
export type ProcessSettings = ValuesOf<typeof PROCESS_OPTIONS>;

/** The typed values that every `[goal NAME]` has; those of its type are in `GOAL_TYPES`. */
export type GoalSettings = ValuesOf<typeof GOAL_OPTIONS>;

/** The typed values of a goal of a built-in type. */
export type GoalSettingsOf<T extends keyof typeof GOAL_TYPES> = ValuesOf<
  typeof GOAL_OPTIONS & (typeof GOAL_TYPES)[T]['options']
>;

/** Where an option may stand. */
export type Place = 'DEFAULT' | 'stage' | 'vars' | 'goal' | 'process';

/** Whether `key` is an option of a stage. */
export function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(OPTIONS, key);
}

/** The table of options that a section of this place may hold; `[vars]` holds any key, so its table is empty. */
export function optionsAt(place: Place, goalType?: string): OptionTable {
  switch (place) {
    case 'vars':
      return {};
    case 'goal':
      return goalOptions(goalType);
    case 'process':
      return PROCESS_OPTIONS;
    case 'DEFAULT':
    case 'stage':
      return OPTIONS;
  }
}

/** The option `key` of that place, or undefined. */
export function findOption(place: Place, key: string, goalType?: string): OptionSpec | undefined {
  const table = optionsAt(place, goalType);
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Where an option of this name may stand: in words for messages and docs. */
export function placesOf(key: string): readonly Place[] {
  const places: Place[] = [];
  if (isOptionKey(key)) places.push('DEFAULT', 'stage');
  const inGoal =
    Object.hasOwn(GOAL_OPTIONS, key) ||
    Object.values(GOAL_TYPES).some((type) => Object.hasOwn(type.options, key));
  if (inGoal) places.push('goal');
  if (Object.hasOwn(PROCESS_OPTIONS, key)) places.push('process');
  return places;
}
