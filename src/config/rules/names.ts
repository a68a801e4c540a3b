/** Names that one part of the file uses and another has to have: variables, goals, processes. */
import type { ConfDocument, Range } from '../syntax/document.ts';
import { checkItem } from '../values/forms.ts';
import { itemRange } from '../values/kinds.ts';
import { interpolator } from '../syntax/interpolate.ts';
import { problem, type Problem, type ProblemData } from '../syntax/problems.ts';
import { resolverOf, resolversIn } from '../values/resolvers.ts';
import { findNamed, goalNames, processNames } from '../syntax/sections.ts';
import { didYouMean } from './suggest.ts';
import { headerRange, plainItems, valueOrKey, written, type SectionView } from './view.ts';

/** `var!name` that `[vars]` does not have; keys that `[vars]` inherits do not count. */
export function undefinedVars(view: SectionView): readonly Problem[] {
  const vars = view.doc.sections.get('vars')?.options;
  return [...view.section.options.values()].flatMap((option) => {
    const found = view.values.get(option.key);
    const value = found?.option === option && !found.broken ? found.value : option.raw;
    if (!value.includes('var!')) return [];
    return resolversIn(view.table[option.key]?.kind ?? 'text', value).flatMap(({ resolver, item }) => {
      if (resolver.kind !== 'var' || vars?.has(resolver.argument.toLowerCase()) === true) return [];
      const others = [...(vars?.keys() ?? [])].filter((name) => view.place !== 'vars' || name !== option.key);
      const suggestion = didYouMean(resolver.argument, others);
      const range = itemRange(option, value, item);
      return [
        problem(
          'undefined-var',
          range,
          `"${option.key}" needs the variable "${resolver.argument}", which [vars] does not have. ${suggestion === undefined ? 'Add it there.' : `Did you mean var!${suggestion}?`}`,
          suggested(
            suggestion,
            view.doc.text.slice(range.start, range.end),
            `var!${resolver.argument}`,
            range,
          ),
        ),
      ];
    });
  });
}

/** Replaces the bad part of what is written, where it is written plainly. */
function suggested(suggestion: string | undefined, text: string, bad: string, range: Range): ProblemData {
  if (suggestion === undefined) return {};
  const at = text.indexOf(bad);
  if (at < 0) return { suggestion };
  const good = bad.startsWith('var!') ? `var!${suggestion}` : suggestion;
  const place = { start: range.start + at, end: range.start + at + bad.length };
  return { suggestion, fixes: [{ title: `Change to "${good}"`, edits: [{ range: place, text: good }] }] };
}

/** Variables that lead back to themselves. */
export function variableCycles(doc: ConfDocument): readonly Problem[] {
  const vars = doc.sections.get('vars');
  if (vars === undefined) return [];
  const fill = interpolator(doc, vars);
  const next = new Map<string, string>();
  for (const option of vars.options.values()) {
    const resolver = resolverOf(fill(option).value ?? option.raw);
    if (resolver?.kind === 'var') next.set(option.key, resolver.argument.toLowerCase());
  }
  const settled = new Set<string>();
  const problems: Problem[] = [];
  for (const start of next.keys()) {
    const path = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !settled.has(at) && !path.has(at)) {
      path.add(at);
      at = next.get(at);
    }
    if (at !== undefined && path.has(at)) {
      const names = [...path];
      const circle = names.slice(names.indexOf(at));
      const option = vars.options.get(at);
      if (option !== undefined)
        problems.push(
          problem(
            'variable-cycle',
            valueOrKey(option),
            `The variable "${at}" leads back to itself: ${[...circle, at].join(' → ')}. Remove the circular reference.`,
            { key: at },
          ),
        );
    }
    for (const name of path) settled.add(name);
  }
  return problems;
}

/** Goals of `pipeline` that are neither built in nor a section. */
export function unknownGoals(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage' || written(view, 'pipeline') === undefined) return [];
  return plainItems(view, 'pipeline').flatMap((item) => {
    const name = item.text.replace(/\?$/, '');
    if (name === 'deploy' || checkItem('goal-name', name) !== undefined) return [];
    if (findNamed(view.doc, 'goal', name) !== undefined) return [];
    const suggestion = didYouMean(name, ['deploy', ...goalNames(view.doc)]);
    return [
      problem(
        'unknown-goal',
        item.range,
        `pipeline: there is no goal "${name}". ${suggestion === undefined ? `Add a section [goal ${name}], or correct the name.` : `Did you mean "${suggestion}"?`}`,
        suggested(suggestion, view.doc.text.slice(item.range.start, item.range.end), name, item.range),
      ),
    ];
  });
}

/** Processes of `processes` that have no section. */
export function unknownProcesses(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  return plainItems(view, 'processes').flatMap((item) => {
    if (checkItem('process-name', item.text) !== undefined) return [];
    if (findNamed(view.doc, 'process', item.text) !== undefined) return [];
    const suggestion = didYouMean(item.text, processNames(view.doc));
    return [
      problem(
        'unknown-process',
        item.range,
        `processes: there is no section [process ${item.text}]. ${suggestion === undefined ? 'Add it, or correct the name.' : `Did you mean "${suggestion}"?`}`,
        suggested(suggestion, view.doc.text.slice(item.range.start, item.range.end), item.text, item.range),
      ),
    ];
  });
}

/** A goal that stands twice in `pipeline`, and a `deploy` that may fail: what a run refuses, too. */
export function repeatedGoals(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage' || written(view, 'pipeline') === undefined) return [];
  const items = plainItems(view, 'pipeline').map((item) => ({ ...item, name: item.text.replace(/\?$/, '') }));
  const first = new Map<string, Range>();
  return items.flatMap((item) => {
    if (checkItem('goal-name', item.name) !== undefined) return [];
    const before = first.get(item.name);
    if (before !== undefined) return [repeated(view, 'pipeline', 'duplicate-goal', item, before)];
    first.set(item.name, item.range);
    return item.text === 'deploy?' ? [optionalDeploy(view, item.range)] : [];
  });
}

/** A process that stands twice in `processes`. */
export function repeatedProcesses(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  const first = new Map<string, Range>();
  return plainItems(view, 'processes').flatMap((item) => {
    if (checkItem('process-name', item.text) !== undefined) return [];
    const before = first.get(item.text);
    if (before !== undefined)
      return [repeated(view, 'processes', 'duplicate-process', { ...item, name: item.text }, before)];
    first.set(item.text, item.range);
    return [];
  });
}

function repeated(
  view: SectionView,
  key: 'pipeline' | 'processes',
  code: 'duplicate-goal' | 'duplicate-process',
  { name, range }: { readonly name: string; readonly range: Range },
  before: Range,
): Problem {
  return problem(code, range, `${key}: "${name}" is listed twice. Remove one of the two.`, {
    key,
    stage: view.name,
    related: [{ range: before, message: 'The first one.' }],
  });
}

function optionalDeploy(view: SectionView, range: Range): Problem {
  const isPlain = view.doc.text.slice(range.start, range.end) === 'deploy?';
  const mark = { start: range.end - 1, end: range.end };
  return problem(
    'optional-deploy',
    range,
    'pipeline: "deploy" cannot be optional, as the goals after it need what it makes live. Remove the "?".',
    {
      key: 'pipeline',
      stage: view.name,
      ...(isPlain ? { fixes: [{ title: 'Change to "deploy"', edits: [{ range: mark, text: '' }] }] } : {}),
    },
  );
}

/** Names of goals and processes that they may not have. */
export function sectionNames(view: SectionView): readonly Problem[] {
  if (view.place !== 'goal' && view.place !== 'process') return [];
  if (view.place === 'goal' && view.name === 'deploy')
    return [
      problem(
        'reserved-goal',
        headerRange(view.section),
        '"deploy" is the built-in goal. Choose another name for this one.',
      ),
    ];
  if (/^[A-Za-z0-9._-]+$/.test(view.name)) return [];
  return [
    problem(
      'bad-section-name',
      headerRange(view.section),
      `"${view.name}" is not a name of a ${view.place}. Use letters, digits, ".", "_" and "-".`,
    ),
  ];
}
