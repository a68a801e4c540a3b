/** Which keys a section may, must and must not have. */
import {
  findOption,
  isGoalType,
  isOptionKey,
  OPTIONS,
  placesOf,
  type OptionSpec,
  type OptionTable,
} from '../options/options.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import { isDeploy } from '../syntax/sections.ts';
import { hasItems, itemsOf, resolversIn } from '../values/resolvers.ts';
import { didYouMean } from './suggest.ts';
import {
  headerRange,
  insertOption,
  knownStrategy,
  plainItems,
  plainText,
  removeOption,
  valueOrKey,
  written,
  type SectionView,
} from './view.ts';

/** How many unknown keys of a section get a "did you mean". */
const MAX_SUGGESTIONS = 50;

/** Keys written in this section that are no option, or none here. `used` are the names that some `%(name)s` refers to. */
export function unknownKeys(view: SectionView, used: ReadonlySet<string>): readonly Problem[] {
  if (view.place === 'vars' || anyKeyGoes(view)) return [];
  let suggestions = 0;
  return [...view.section.options.values()].flatMap((option) => {
    if (findOption(view.place, option.key, view.goalType) !== undefined || used.has(option.key)) return [];
    if (view.place === 'goal' && view.goalType === undefined && placesOf(option.key).includes('goal'))
      return [];
    const where = view.place === 'DEFAULT' ? '[DEFAULT]' : `[${view.section.name}]`;
    const places = placesOf(option.key);
    if (places.length > 0)
      return [
        problem(
          'misplaced-key',
          option.keyRange,
          `"${option.key}" is not allowed in ${where}${view.goalType === undefined ? '' : `, a goal of type ${view.goalType}`}: it belongs in ${describePlaces(places)}. Move it there.`,
          { key: option.key },
        ),
      ];
    suggestions += 1;
    const suggestion =
      suggestions > MAX_SUGGESTIONS
        ? undefined
        : didYouMean(
            option.key,
            Object.keys(view.table).filter((key) => !view.section.options.has(key)),
          );
    return [
      problem(
        'unknown-key',
        option.keyRange,
        `"${option.key}" is not an option of ${where}. ${suggestion === undefined ? 'Correct the name or remove the line; keys of your own belong in [vars].' : `Did you mean "${suggestion}"?`}`,
        suggestion === undefined
          ? { key: option.key }
          : {
              key: option.key,
              suggestion,
              fixes: [
                { title: `Change to "${suggestion}"`, edits: [{ range: option.keyRange, text: suggestion }] },
              ],
            },
      ),
    ];
  });
}

/** A module decides for itself what its options are; of a type that is unknown nothing is known. */
function anyKeyGoes(view: SectionView): boolean {
  return view.place === 'goal' && view.goalType !== undefined && !isGoalType(view.goalType);
}

function describePlaces(places: readonly string[]): string {
  const words = places.flatMap((place) => {
    if (place === 'stage') return ['a stage or [DEFAULT]'];
    if (place === 'goal') return ['a [goal NAME] of a type that has it'];
    return place === 'process' ? ['a [process NAME]'] : [];
  });
  return words.join(' or ');
}

/** Required options that the section neither has nor inherits, or that are empty. */
export function missingKeys(view: SectionView): readonly Problem[] {
  if (view.place === 'vars' || view.place === 'DEFAULT') return [];
  const required = requiredKeys(view);
  if (Object.hasOwn(view.table, 'distfile') && plainText(view, 'install_mode') === 'binary')
    required.push('distfile');
  return required.flatMap((key) => {
    const spec = view.table[key];
    if (spec === undefined) return [];
    const found = view.values.get(key);
    if (found !== undefined && (found.broken || !isEmpty(spec, found.value))) return [];
    const range = found?.option === undefined ? headerRange(view.section) : valueOrKey(found.option);
    const fix = found === undefined ? insertOption(view, key, spec) : undefined;
    const why = key === 'distfile' ? ' for install_mode: binary' : '';
    const remedy = view.place === 'stage' ? 'Add it here or in [DEFAULT].' : 'Add it.';
    return [
      problem(
        'missing-key',
        range,
        found === undefined
          ? `[${view.section.name}] has no "${key}", which is required${why}. ${remedy}`
          : `"${key}" is empty, but required${why}. Write its value.`,
        { key, stage: view.name, ...(fix === undefined ? {} : { fixes: [fix] }) },
      ),
    ];
  });
}

/** Also a list of nothing but commas. */
function isEmpty({ kind }: OptionSpec, value: string): boolean {
  return !/[^\s,]/.test(value) && (!hasItems(kind) || itemsOf(kind, value).length === 0);
}

/** A loop without a list of the whole table: a file may have thousands of stages. */
function requiredKeys(view: SectionView): string[] {
  const { table } = view;
  const deploys = view.place === 'stage' && mayDeploy(view);
  const keys: string[] = [];
  for (const key in table) {
    const required = table[key]?.required;
    if (required === true || (required === 'deploy' && deploys)) keys.push(key);
  }
  return keys;
}

/** Whether the stage's `pipeline` has `deploy`. What resolvers may bring is judged by the run. */
function mayDeploy(view: SectionView): boolean {
  const found = view.values.get('pipeline');
  if (found === undefined || found.broken) return true;
  return (
    resolversIn('list', found.value).length === 0 &&
    plainItems(view, 'pipeline').some(({ text }) => isDeploy(text))
  );
}

/** Keys written in a stage that its strategy does not know. */
export function wrongStrategy(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  const strategy = knownStrategy(view);
  if (strategy === undefined) return [];
  const table: OptionTable = OPTIONS;
  return [...view.section.options.values()].flatMap((option) => {
    const only = isOptionKey(option.key) ? table[option.key]?.strategy : undefined;
    if (only === undefined || only === strategy) return [];
    return [
      problem(
        'wrong-strategy',
        option.keyRange,
        `"${option.key}" needs strategy: ${only}, but [${view.section.name}] has strategy: ${strategy}. Remove it, or change the strategy.`,
        { key: option.key, strategy: only, fixes: [removeOption(view.doc, option)] },
      ),
    ];
  });
}

const EXCLUSIVE = [
  {
    place: 'stage',
    first: 'before_deploy',
    second: 'build_command',
    why: 'they are two names of one option',
  },
  { place: 'goal', first: 'notes', second: 'notes_file', why: 'both give the text of the release' },
  { place: 'process', first: 'timer', second: 'socket', why: 'a process is started by one of them' },
  { place: 'process', first: 'socket', second: 'replicas', why: 'the socket starts one process' },
  { place: 'process', first: 'timer', second: 'replicas', why: 'the timer starts one process' },
] as const;

/** Options that exclude each other. */
export function conflictingKeys(view: SectionView): readonly Problem[] {
  return EXCLUSIVE.flatMap(({ place, first, second, why }) => {
    if (place !== view.place) return [];
    const one = written(view, first);
    const other = written(view, second);
    if (one === undefined || other === undefined || !isOn(first, one.value) || !isOn(second, other.value))
      return [];
    const own = view.section.options.get(second) ?? view.section.options.get(first);
    return [
      problem(
        'conflicting-keys',
        own?.keyRange ?? headerRange(view.section),
        `[${view.section.name}] has both "${first}" and "${second}", but ${why}. Keep one of them.`,
        { key: second, related: [{ range: one.option.keyRange, message: `"${first}" is here.` }] },
      ),
    ];
  });
}

function isOn(key: string, value: string): boolean {
  if (value === '') return false;
  if (key === 'replicas') return value !== '1';
  return key !== 'socket' || !['no', 'false', 'off', '0'].includes(value.toLowerCase());
}
