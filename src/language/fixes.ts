/** Quick fixes: those that the problem brings along, and those that need the editor. */
import type { ConfDocument, ConfOption, Range } from '../config/syntax/document.ts';
import { OPTIONS, PROCESS_OPTIONS } from '../config/options/options.ts';
import type { Problem } from '../config/syntax/problems.ts';
import { removeOption } from '../config/rules/view.ts';
import { didYouMean } from '../config/rules/suggest.ts';
import type { Surroundings, Translate } from './languageFacts.ts';
import { blocksOf, contentEnd, eolOf, lineAt, optionAt, sectionOf } from './layout.ts';
import type { TextEdit } from './rename.ts';

export interface Fix {
  readonly title: string;
  /** Replacements in the text; empty where only a file changes. */
  readonly edits: readonly TextEdit[];
  /** Whether it is what was most probably meant: the editor's "Fix" takes it without a question. */
  readonly preferred: boolean;
  /** A private key whose permissions are to become 600, as written. */
  readonly chmod?: string;
}

/** The fixes of one problem, the safest first. */
export function fixesFor(
  doc: ConfDocument,
  problem: Problem,
  surroundings: Surroundings,
  t: Translate,
): readonly Fix[] {
  const own = (problem.data?.fixes ?? []).map(({ title, edits }): Omit<Fix, 'preferred'> => ({
    title,
    edits,
  }));
  const strategy = problem.code === 'wrong-strategy' ? strategyFixes(doc, problem, t) : [];
  const all = [...strategy, ...own, ...moreFixes(doc, problem, surroundings, t)];
  const safe = problem.code !== 'wrong-strategy' && problem.code !== 'exclude-matches-nothing';
  return all.map((fix, index) => ({ ...fix, preferred: index === 0 && safe }));
}

type BareFix = Omit<Fix, 'preferred'>;

function moreFixes(
  doc: ConfDocument,
  problem: Problem,
  surroundings: Surroundings,
  t: Translate,
): readonly BareFix[] {
  const option = optionAt(doc, problem.range.start);
  switch (problem.code) {
    case 'duplicate-key':
      return option === undefined
        ? []
        : [{ title: t('Remove this one'), edits: removeOption(doc, option).edits }];
    case 'unknown-key':
    case 'misplaced-key':
      return option === undefined ? [] : [removal(doc, option, t)];
    case 'duplicate-server':
    case 'duplicate-goal':
    case 'duplicate-process':
    case 'nested-path':
    case 'exclude-matches-nothing':
      return option === undefined ? [] : itemRemoval(doc, option, problem.range, t);
    case 'conflicting-keys':
      return option === undefined ? [] : [removal(doc, option, t)];
    case 'identity-permissions':
      return problem.data?.path === undefined
        ? []
        : [{ title: t('Run chmod 600 on {0}', problem.data.path), edits: [], chmod: problem.data.path }];
    case 'unknown-branch':
      return branchFixes(doc, problem, surroundings, t);
    case 'undefined-var':
      return variableFixes(doc, problem, t);
    case 'interpolation-unknown':
      return keyFixes(doc, problem, option, t);
    case 'unknown-goal':
      return newSection(doc, problem, { kind: 'goal', line: 'type: shell' }, t);
    case 'unknown-process':
      return newSection(
        doc,
        problem,
        { kind: 'process', line: `command: ${PROCESS_OPTIONS.command.example}` },
        t,
      );
    case 'no-stage':
      return [stageFix(doc, t)];
    case 'no-delimiter':
      return [
        {
          title: t('Write ":" after it'),
          edits: [{ range: { start: problem.range.end, end: problem.range.end }, text: ':' }],
        },
      ];
    default:
      return [];
  }
}

function removal(doc: ConfDocument, option: ConfOption, t: Translate): BareFix {
  return { title: t('Remove "{0}"', option.key), edits: removeOption(doc, option).edits };
}

/** `strategy` of the stage becomes the one that the key needs. */
function strategyFixes(doc: ConfDocument, problem: Problem, t: Translate): readonly BareFix[] {
  const option = optionAt(doc, problem.range.start);
  const key = problem.data?.key;
  if (option === undefined || key === undefined) return [];
  const section = sectionOf(doc, option);
  const wanted = problem.data?.strategy;
  if (wanted === undefined) return [];
  const title = t('Set strategy: {0}', wanted);
  const written = section.options.get('strategy');
  if (written !== undefined) return [{ title, edits: [{ range: written.valueRange, text: wanted }] }];
  const { start } = lineAt(doc, option.keyRange.start);
  const indent = doc.text.slice(start, option.keyRange.start);
  return [
    { title, edits: [{ range: { start, end: start }, text: `${indent}strategy: ${wanted}${eolOf(doc)}` }] },
  ];
}

/** Takes one item out of a list, with its line or its comma; the whole key where it is the only one. */
function itemRemoval(doc: ConfDocument, option: ConfOption, range: Range, t: Translate): readonly BareFix[] {
  const text = doc.text.slice(range.start, range.end);
  const title = t('Remove "{0}"', text);
  if (range.start === option.valueRange.start && range.end === option.valueRange.end)
    return [removal(doc, option, t)];
  if (range.start < option.valueRange.start || range.end > option.valueRange.end) return [];
  const line = lineAt(doc, range.start);
  const isOwnLine = option.lines.some(
    (each, index) => index > 0 && each.range.start === range.start && each.range.end === range.end,
  );
  if (isOwnLine) {
    const next = doc.lineStarts[line.index + 1];
    // The last line goes with the line end before it.
    const place =
      next === undefined
        ? { start: lineAt(doc, line.start - 1).end, end: line.end }
        : { start: line.start, end: next };
    return [{ title, edits: [{ range: place, text: '' }] }];
  }
  if (option.raw.includes('\n')) return [{ title, edits: [{ range, text: '' }] }];
  const after = /^\s*,\s*/.exec(doc.text.slice(range.end, line.end))?.[0].length;
  if (after !== undefined)
    return [{ title, edits: [{ range: { start: range.start, end: range.end + after }, text: '' }] }];
  const before = /\s*,\s*$/.exec(doc.text.slice(line.start, range.start))?.[0].length ?? 0;
  return [{ title, edits: [{ range: { start: range.start - before, end: range.end }, text: '' }] }];
}

function branchFixes(
  doc: ConfDocument,
  problem: Problem,
  { project }: Surroundings,
  t: Translate,
): readonly BareFix[] {
  if (project === undefined) return [];
  const names = [...project.branches, ...project.remoteBranches.map(({ branch }) => branch), ...project.tags];
  const written = doc.text.slice(problem.range.start, problem.range.end);
  const meant = didYouMean(written, names);
  return meant === undefined ? [] : [replacement(problem.range, meant, t)];
}

function replacement(range: Range, text: string, t: Translate): BareFix {
  return { title: t('Change to "{0}"', text), edits: [{ range, text: text.replaceAll('%', '%%') }] };
}

/** Writes the variable into `[vars]`, which is made where there is none. */
function variableFixes(doc: ConfDocument, problem: Problem, t: Translate): readonly BareFix[] {
  const name = /var!\s*([\w.-]+)/.exec(doc.text.slice(problem.range.start, problem.range.end))?.[1];
  if (name === undefined) return [];
  const title = t('Add "{0}" to [vars]', name);
  const header = doc.sections.get('vars')?.headers[0];
  if (header !== undefined) return [{ title, edits: [lineBelow(doc, header.line, `${name}: `)] }];
  const [first] = blocksOf(doc).filter(({ section }) => section !== doc.defaults);
  const at = first?.range.start ?? doc.text.length;
  const eol = eolOf(doc);
  return [{ title, edits: [{ range: { start: at, end: at }, text: `[vars]${eol}${name}: ${eol}${eol}` }] }];
}

/** Writes the key that a `%(name)s` asks for into its own section. */
function keyFixes(
  doc: ConfDocument,
  problem: Problem,
  option: ConfOption | undefined,
  t: Translate,
): readonly BareFix[] {
  const name = /^%\(([\w.-]+)\)s$/.exec(doc.text.slice(problem.range.start, problem.range.end))?.[1];
  if (name === undefined || option === undefined) return [];
  const { start } = lineAt(doc, option.keyRange.start);
  const indent = doc.text.slice(start, option.keyRange.start);
  const text = `${indent}${name.toLowerCase()}: ${eolOf(doc)}`;
  return [{ title: t('Add the key "{0}"', name), edits: [{ range: { start, end: start }, text }] }];
}

function newSection(
  doc: ConfDocument,
  problem: Problem,
  { kind, line }: { readonly kind: 'goal' | 'process'; readonly line: string },
  t: Translate,
): readonly BareFix[] {
  const name = doc.text.slice(problem.range.start, problem.range.end).replace(/\?$/, '');
  if (!/^[\w.-]+$/.test(name)) return [];
  return [{ title: t('Add [{0}]', `${kind} ${name}`), edits: [append(doc, `[${kind} ${name}]`, line)] }];
}

function stageFix(doc: ConfDocument, t: Translate): BareFix {
  const lines = [
    ...(doc.defaults.options.has('repository') ? [] : ['repository: .']),
    `server: ${OPTIONS.server.example.split('\n')[0] ?? ''}`,
    `project_dir: ${OPTIONS.project_dir.example}`,
  ];
  return {
    title: t('Add [{0}]', 'production'),
    edits: [append(doc, '[production]', lines.join(eolOf(doc)))],
  };
}

/** A section at the end of the file. */
function append(doc: ConfDocument, header: string, body: string): TextEdit {
  const eol = eolOf(doc);
  const end = contentEnd(doc, { start: 0, end: doc.text.length });
  const gap = end === 0 ? '' : eol + eol;
  return { range: { start: end, end: doc.text.length }, text: `${gap}${header}${eol}${body}${eol}` };
}

function lineBelow(doc: ConfDocument, line: number, text: string): TextEdit {
  const at = doc.lineStarts[line];
  const eol = eolOf(doc);
  if (at === undefined) return { range: { start: doc.text.length, end: doc.text.length }, text: eol + text };
  return { range: { start: at, end: at }, text: text + eol };
}
