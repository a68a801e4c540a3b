/** What is wrong with the `%` of a file's values. */
import type { ConfDocument, ConfOption, ConfSection } from './document.ts';
import { rangeInRaw } from './document.ts';
import { interpolator, partsOf, type InterpolationFailure, type Interpolator } from './interpolate.ts';
import { problem, type Problem } from './problems.ts';
import { placeOf } from './sections.ts';
import { didYouMean } from '../rules/suggest.ts';

/**
 * How many times an inherited value is tried in a section. Thousands of keys in DEFAULT times thousands of stages would freeze an
 * editor; nobody writes such a file by hand.
 */
const MAX_INHERITED_TRIES = 20_000;

/** How many unknown names get a "did you mean": each is compared with every key there is. */
const MAX_SUGGESTIONS = 50;

/** Options whose items are percentages: they are younger than the parser that refuses a lone percent sign. */
const PERCENTAGES: ReadonlySet<string> = new Set(['waves']);

type Read = Pick<ConfDocument, 'defaults' | 'sections' | 'options' | 'text'>;

/**
 * Problems of interpolation. A value of DEFAULT is judged in the stages that inherit it, since it may use keys that only they
 * have; in a file without stages, by itself.
 */
export function interpolationProblems(doc: Read): readonly Problem[] {
  const withPercent = doc.options.filter((option) => option.raw.includes('%'));
  if (withPercent.length === 0) return [];
  const problems: Problem[] = [];
  for (const option of withPercent) if (!PERCENTAGES.has(option.key)) problems.push(...lonePercents(option));

  const failures: {
    readonly option: ConfOption;
    readonly failure: InterpolationFailure;
    readonly section: ConfSection;
  }[] = [];
  const tryIn = (section: ConfSection, fill: Interpolator, option: ConfOption): void => {
    const { failure } = fill(option);
    if (failure !== undefined) failures.push({ option, failure, section });
  };

  const inherited = [...doc.defaults.options.values()].filter((option) => option.raw.includes('%'));
  let stages = 0;
  let tries = 0;
  for (const section of doc.sections.values()) {
    const fill = interpolator(doc, section);
    for (const option of section.options.values()) if (option.raw.includes('%')) tryIn(section, fill, option);
    if (placeOf(section.name).place !== 'stage') continue;
    stages += 1;
    for (const option of inherited) {
      if (section.options.has(option.key)) continue;
      if ((tries += 1) > MAX_INHERITED_TRIES) break;
      tryIn(section, fill, option);
    }
  }
  if (stages === 0) {
    const fill = interpolator(doc, doc.defaults);
    for (const option of inherited) tryIn(doc.defaults, fill, option);
  }

  return [...problems, ...report(doc, failures)];
}

/** Each failing reference once, where it stands; and each value that fails only through another that is not reported. */
function report(
  doc: Read,
  failures: readonly {
    readonly option: ConfOption;
    readonly failure: InterpolationFailure;
    readonly section: ConfSection;
  }[],
): readonly Problem[] {
  const seen = new Set<number>();
  const problems: Problem[] = [];
  for (const { failure, section } of failures) {
    const { start } = rangeInRaw(failure.option, failure.start, failure.end);
    if (seen.has(start)) continue;
    seen.add(start);
    const suggestion = seen.size > MAX_SUGGESTIONS ? undefined : suggestionFor(doc, section, failure);
    problems.push(describe(section, failure, suggestion));
  }
  return problems;
}

function suggestionFor(
  doc: Read,
  section: ConfSection,
  { kind, name }: InterpolationFailure,
): string | undefined {
  if (kind !== 'unknown') return undefined;
  return didYouMean(name, keysOf(doc, section));
}

function describe(
  section: ConfSection,
  failure: InterpolationFailure,
  suggestion: string | undefined,
): Problem {
  const { name, option } = failure;
  const range = rangeInRaw(option, failure.start, failure.end);
  const inherited = option.section === section.name ? '' : ` for [${section.name}]`;
  switch (failure.kind) {
    case 'unknown': {
      const hint = suggestion === undefined ? '' : ` Did you mean %(${suggestion})s?`;
      const fixes =
        suggestion === undefined
          ? []
          : [{ title: `Change to %(${suggestion})s`, edits: [{ range, text: `%(${suggestion})s` }] }];
      return problem(
        'interpolation-unknown',
        range,
        `%(${name})s is unknown${inherited}: neither [${section.name}] nor [DEFAULT] has "${name}".${hint} Add the key, or write %% for a plain percent sign.`,
        {
          ...(suggestion === undefined ? {} : { suggestion }),
          fixes: [
            ...fixes,
            { title: 'Write %% for a plain percent sign', edits: [{ range: startOf(range), text: '%' }] },
          ],
        },
      );
    }
    case 'cycle':
      return problem(
        'interpolation-cycle',
        range,
        `%(${name})s leads back to itself${inherited}. Remove the circular reference.`,
      );
    case 'depth':
      return problem(
        'interpolation-depth',
        range,
        `%(${name})s is nested more than 10 deep${inherited}. Use fewer levels.`,
      );
    case 'size':
      return problem(
        'interpolation-size',
        range,
        `This value becomes longer than 1 MiB${inherited}. Refer to fewer or shorter values.`,
      );
  }
}

function* keysOf(doc: Read, section: ConfSection): Iterable<string> {
  yield* section.options.keys();
  yield* doc.defaults.options.keys();
}

function startOf(range: { readonly start: number }): { readonly start: number; readonly end: number } {
  return { start: range.start, end: range.start };
}

function lonePercents(option: ConfOption): readonly Problem[] {
  return partsOf(option.raw)
    .filter((part) => part.kind === 'lone-percent')
    .map((part) => {
      const range = rangeInRaw(option, part.start, part.end);
      return problem(
        'lone-percent',
        range,
        'A plain percent sign is written %%. Durant reads this one as it stands; Durant 0.2 refused the file.',
        { fixes: [{ title: 'Write %%', edits: [{ range, text: '%%' }] }] },
      );
    });
}
