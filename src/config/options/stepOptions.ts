/** The options that steps of a deploy are for: a step whose options are all empty is left out, and its hooks with it. */

export const STEP_OPTIONS = {
  shared: ['shared_dirs', 'shared_files'],
  copy_dirs: ['copy_dirs'],
  asset_dirs: ['asset_dirs'],
  writable: ['writable_dirs'],
  vendors: ['vendors'],
  clear_paths: ['clear_paths'],
  release_command: ['release_command'],
} as const;

export type OptionalStep = keyof typeof STEP_OPTIONS;

/** Whether any of the lists that a step is for has an item. */
export function isAskedFor(
  settings: Readonly<Record<(typeof STEP_OPTIONS)[OptionalStep][number], readonly string[]>>,
  step: OptionalStep,
): boolean {
  return STEP_OPTIONS[step].some((key) => settings[key].length > 0);
}

export function isOptionalStep(step: string): step is OptionalStep {
  return Object.hasOwn(STEP_OPTIONS, step);
}
