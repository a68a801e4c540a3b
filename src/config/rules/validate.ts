/** What is wrong with a durant.conf beyond its syntax. Pure: facts about files and git are handed in, nothing is run or contacted. */
import { DurantError } from '../../errors.ts';
import type { ConfDocument, ConfSection } from '../syntax/document.ts';
import { ruleFacts, type Facts } from './validationFacts.ts';
import { partsOf } from '../syntax/interpolate.ts';
import { positionAt } from '../syntax/document.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import { hidingProblem, resolveStage } from '../values/stage.ts';
import { itemsOf } from '../values/resolvers.ts';
import { idleDefaultHooks, idleHooks } from './hooks.ts';
import { conflictingKeys, missingKeys, unknownKeys, wrongStrategy } from './keys.ts';
import {
  repeatedGoals,
  repeatedProcesses,
  sectionNames,
  undefinedVars,
  unknownGoals,
  unknownProcesses,
  variableCycles,
} from './names.ts';
import { excludedPaths, identityFile, idleExcludes, nestedPaths, unknownBranch } from './paths.ts';
import { unknownRoles } from './roles.ts';
import { targetProblems, webRoots } from './targets.ts';
import { plainSecrets, processValues, wrongValues } from './valueKinds.ts';
import { missingRepository, sampleServers } from './unready.ts';
import { viewOf, type SectionView } from './view.ts';

export type { Facts } from './validationFacts.ts';
export { BUILT_IN_EXCLUDES } from './paths.ts';

/** Rules that look at one section with all that it inherits. */
const SECTION_RULES: readonly ((view: SectionView) => readonly Problem[])[] = [
  missingKeys,
  wrongValues,
  wrongStrategy,
  conflictingKeys,
  processValues,
  plainSecrets,
  undefinedVars,
  unknownGoals,
  unknownProcesses,
  unknownRoles,
  repeatedGoals,
  repeatedProcesses,
  sectionNames,
  nestedPaths,
  excludedPaths,
  webRoots,
  identityFile,
  unknownBranch,
  missingRepository,
  sampleServers,
  idleExcludes,
  idleHooks,
];

/**
 * Everything that is wrong, the parser's problems included, in the order of the text; of one stage and what it uses, or of the
 * whole file.
 * @throws {DurantError} `unknown-stage`.
 */
export function validate(
  doc: ConfDocument,
  stage: string | undefined,
  given: Facts = {},
): readonly Problem[] {
  const facts = ruleFacts(given);
  if (stage !== undefined) resolveStage(doc, stage);
  const used = referencedNames(doc);
  const all = [...doc.sections.values()].map((section) => viewOf(doc, section, facts));
  const views = all.filter((view) => stage === undefined || isUsedBy(doc, view, stage));
  const problems: Problem[] = [...doc.problems];

  const defaults = viewOf(doc, doc.defaults, facts);
  problems.push(
    ...unknownKeys(defaults, used),
    ...plainSecrets(defaults),
    ...undefinedVars(defaults),
    ...idleDefaultHooks(defaults, all),
  );
  if (stage === undefined) problems.push(...wrongValues(notInherited(defaults, all)));
  for (const view of views) {
    problems.push(...unknownKeys(view, used));
    for (const rule of SECTION_RULES) problems.push(...rule(view));
  }
  problems.push(...targetProblems(all, stage), ...variableCycles(doc));
  if (!all.some((view) => view.place === 'stage') && hidingProblem(doc) === undefined)
    problems.push(
      problem(
        'no-stage',
        { start: 0, end: 0 },
        'This file has no stage. Add a section such as [production].',
      ),
    );
  return inOrder(problems);
}

/** Whether a section matters for a stage: itself, [vars], the goals of its pipeline, its processes. */
function isUsedBy(doc: ConfDocument, view: SectionView, stage: string): boolean {
  switch (view.place) {
    case 'stage':
      return view.name === stage;
    case 'goal':
      return listed(doc, stage, 'pipeline')?.some((goal) => goal.replace(/\?$/, '') === view.name) ?? true;
    case 'process':
      return listed(doc, stage, 'processes')?.includes(view.name) ?? true;
    default:
      return true;
  }
}

function listed(doc: ConfDocument, stage: string, key: string): readonly string[] | undefined {
  const value = resolveStage(doc, stage).values.get(key)?.value;
  return value === undefined || value === '' ? undefined : itemsOf('list', value).map((item) => item.text);
}

/** DEFAULT with only the keys that no stage inherits: the others are judged there, where what they refer to is known. */
function notInherited(defaults: SectionView, all: readonly SectionView[]): SectionView {
  const stages = all.filter((view) => view.place === 'stage');
  const options = [...defaults.section.options].filter(([key]) =>
    stages.every((view) => view.section.options.has(key)),
  );
  const section: ConfSection = { ...defaults.section, options: new Map(options) };
  return {
    ...defaults,
    section,
    values: { ...defaults.values, writtenKeys: () => [...section.options.keys()] },
  };
}

/** Names that some `%(name)s` refers to: keys of one's own that have a purpose. */
function referencedNames(doc: ConfDocument): ReadonlySet<string> {
  const names = new Set<string>();
  for (const option of doc.options)
    if (option.raw.includes('%'))
      for (const part of partsOf(option.raw)) if (part.kind === 'reference') names.add(part.name);
  return names;
}

/** In the order of the text; what several stages inherit is said once. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const sorted = problems.toSorted(compare);
  let said = new Set<string>();
  return sorted.filter((found, index) => {
    const before = sorted[index - 1];
    const after = sorted[index + 1];
    if (said.size > 0 && before !== undefined && compare(before, found) !== 0) said = new Set();
    // Most problems are alone in their place.
    if (said.size === 0 && (after === undefined || compare(found, after) !== 0)) return true;
    const id = `${found.code} ${found.message}`;
    if (said.has(id)) return false;
    said.add(id);
    return true;
  });
}

function compare(a: Problem, b: Problem): number {
  return a.range.start - b.range.start || a.range.end - b.range.end;
}

/** Whether nothing is wrong that forbids a run. */
export function isValid(problems: readonly Problem[]): boolean {
  return problems.every((found) => found.severity !== 'error');
}

/**
 * For commands that need a sound stage: passes when no problem is an error.
 * @returns the warnings.
 * @throws {DurantError} `unknown-stage`, `config-invalid` with every error and its line.
 */
export function requireValid(doc: ConfDocument, stage: string, facts: Facts = {}): readonly Problem[] {
  const problems = validate(doc, stage, facts);
  const errors = problems.filter((found) => found.severity === 'error');
  if (errors.length === 0) return problems;
  const lines = errors.slice(0, 10).map((found) => {
    const { line, column } = positionAt(doc, found.range.start);
    return `  ${String(line)}:${String(column)} ${found.message}`;
  });
  const more = errors.length > lines.length ? [`  … and ${String(errors.length - lines.length)} more`] : [];
  const count = errors.length === 1 ? 'an error' : `${String(errors.length)} errors`;
  const [first] = errors;
  throw new DurantError('config-invalid', [`durant.conf has ${count}:`, ...lines, ...more].join('\n'), {
    remedy: 'Correct it, and see every problem with',
    command: 'durant check',
    data:
      first === undefined
        ? {}
        : { problem: { line: positionAt(doc, first.range.start).line, message: first.message } },
  });
}
