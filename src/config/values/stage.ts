/** A stage as it is written: inheritance, interpolation and defaults, with value resolvers shown and not run. */
import { DurantError } from '../../errors.ts';
import { positionAt, type ConfDocument, type ConfOption, type ConfSection } from '../syntax/document.ts';
import { interpolator, lookUp, type Interpolator } from '../syntax/interpolate.ts';
import { itemsOf, hasItems, wholeResolver } from './resolvers.ts';
import { OPTIONS, type OptionSpec, type OptionTable } from '../options/options.ts';
import { parseBool, parseDuration, parseWhole } from './kinds.ts';
import type { ProblemCode } from '../syntax/problemCodes.ts';
import { toProblemJson, type ProblemJson } from '../syntax/problemJson.ts';
import { type Problem } from '../syntax/problems.ts';
import { placeOf, stageNames } from '../syntax/sections.ts';
import { didYouMean } from '../rules/suggest.ts';

export { goalNames, placeOf, processNames, stageNames } from '../syntax/sections.ts';

/** One value of a section. */
export interface SettingText {
  /** After inheritance and interpolation; as written where it cannot be interpolated. */
  readonly value: string;
  /** As written. */
  readonly raw: string;
  readonly from: 'stage' | 'DEFAULT' | 'default';
  /** Line of the key, from 1; null for defaults. */
  readonly line: number | null;
  /** Undefined for defaults. */
  readonly option: ConfOption | undefined;
  /** Whether the value could not be interpolated; the parser says why. */
  readonly broken: boolean;
}

/** The values of a section by key: those it has, those it inherits, and the defaults of its table. */
export interface SettingTexts {
  readonly get: (key: string) => SettingText | undefined;
  /** Options of the table that the section has or inherits; defaults are not among them. */
  readonly writtenKeys: () => Iterable<string>;
}

export interface Stage {
  readonly name: string;
  readonly section: ConfSection;
  readonly values: SettingTexts;
}

/** Values of a section for the options of a table and for its other keys; each is worked out when it is asked for. */
export function readSection(
  doc: Pick<ConfDocument, 'defaults'>,
  section: ConfSection,
  table: OptionTable,
): SettingTexts {
  let fill: Interpolator | undefined;
  const known = new Map<string, SettingText>();
  const read = (key: string): SettingText | undefined => {
    const option = lookUp(doc, section, key);
    if (option === undefined) {
      const text = Object.hasOwn(table, key) ? table[key]?.default : undefined;
      if (text === undefined) return undefined;
      return { value: text, raw: text, from: 'default', line: null, option: undefined, broken: false };
    }
    const value = option.raw.includes('%') ? (fill ??= interpolator(doc, section))(option).value : option.raw;
    return {
      value: value ?? option.raw,
      raw: option.raw,
      from: section.options.has(key) ? 'stage' : 'DEFAULT',
      line: option.line,
      option,
      broken: value === undefined,
    };
  };
  return {
    get: (key) => {
      const before = known.get(key);
      if (before !== undefined) return before;
      const found = read(key);
      if (found !== undefined) known.set(key, found);
      return found;
    },
    writtenKeys: () => {
      const inherited = [...doc.defaults.options.keys()].filter((key) => !section.options.has(key));
      return [...section.options.keys(), ...inherited].filter((key) => Object.hasOwn(table, key));
    },
  };
}

/**
 * The stage of that name.
 * @throws {DurantError} `unknown-stage`; `config-invalid` where a mistake of the file may be why.
 */
export function resolveStage(doc: ConfDocument, name: string): Stage {
  const section = placeOf(name).place === 'stage' ? doc.sections.get(name) : undefined;
  if (section === undefined) throw unknownStage(doc, name);
  return { name, section, values: readSection(doc, section, OPTIONS) };
}

/** Mistakes after which a section that was meant is no section. */
const HIDING: readonly ProblemCode[] = [
  'not-utf8',
  'unclosed-section',
  'empty-section',
  'section-like-key',
  'no-delimiter',
  'no-section',
];

/** The first mistake of the file that may be why a section is missing. */
export function hidingProblem(doc: Pick<ConfDocument, 'problems'>): Problem | undefined {
  return doc.problems.find(({ code }) => HIDING.includes(code));
}

/** @throws {DurantError} `config-invalid` where the file is no text, so that nothing of it is known. */
export function assertText(doc: Pick<ConfDocument, 'text' | 'lineStarts' | 'problems'>): void {
  const [first] = doc.problems;
  if (first?.code !== 'not-utf8') return;
  const { line, column } = positionAt(doc, first.range.start);
  throw new DurantError('config-invalid', `durant.conf ${String(line)}:${String(column)}: ${first.message}`);
}

/**
 * All stages, in the order of the file.
 * @throws {DurantError} `config-invalid` where there is none, and a mistake of the file may be why.
 */
export function allStages(doc: ConfDocument): readonly Stage[] {
  const names = stageNames(doc);
  const hiding = names.length === 0 ? hidingProblem(doc) : undefined;
  if (hiding !== undefined) throw hiddenStage(doc, 'no stage', hiding);
  return names.map((name) => resolveStage(doc, name));
}

function hiddenStage(doc: ConfDocument, what: string, hiding: Problem): DurantError {
  const { line, column } = positionAt(doc, hiding.range.start);
  const mistake = `  ${String(line)}:${String(column)} ${hiding.message}`;
  return new DurantError(
    'config-invalid',
    `durant.conf has ${what}, perhaps because of this mistake:\n${mistake}`,
    {
      remedy: 'Correct it, and see every problem with',
      command: 'durant check',
      data: { problem: { line, message: hiding.message } },
    },
  );
}

function unknownStage(doc: ConfDocument, name: string): DurantError {
  const hiding = hidingProblem(doc);
  if (hiding !== undefined) return hiddenStage(doc, `no stage "${name}"`, hiding);
  const names = stageNames(doc);
  const meant = didYouMean(name, names);
  const remedy =
    meant !== undefined
      ? `Did you mean ${meant}?`
      : names.length === 0
        ? `Add a section [${name}] to it.`
        : `Use one of: ${names.join(', ')}.`;
  return new DurantError('unknown-stage', `durant.conf has no stage "${name}".`, { remedy });
}

/** A value as JSON shows it: by its kind where it is of that kind, else the text. */
export type JsonValue = string | number | boolean | readonly string[];

/** `config STAGE --json`. */
export interface ConfigJson {
  readonly stage: string;
  readonly options: Readonly<
    Record<
      string,
      {
        /** Durations in milliseconds, lists as arrays; resolvers as written. */
        readonly value: JsonValue;
        readonly raw: string;
        readonly from: SettingText['from'];
        readonly line: number | null;
      }
    >
  >;
}

/** What `durant config STAGE --json` prints: every option of the table that has a value or a default. */
export function configJson(stage: Stage): ConfigJson {
  const table: OptionTable = OPTIONS;
  const options = Object.entries(table).flatMap(([key, spec]) => {
    const found = stage.values.get(key);
    if (found === undefined) return [];
    const { raw, from, line } = found;
    return [[key, { value: jsonValue(spec, found.value), raw, from, line }] as const];
  });
  return { stage: stage.name, options: Object.fromEntries(options) };
}

function jsonValue(spec: OptionSpec, value: string): JsonValue {
  if (wholeResolver(spec.kind, value) !== undefined) return hasItems(spec.kind) ? [value] : value;
  switch (spec.kind) {
    case 'list':
    case 'commands':
    case 'servers':
    case 'env':
      return itemsOf(spec.kind, value).map((item) => item.text);
    case 'bool':
      return parseBool(value) ?? value;
    case 'number':
      return parseWhole(value) ?? value;
    case 'duration':
      return parseDuration(value, spec.zero) ?? value;
    case 'enum':
    case 'text':
      return value;
  }
}

/** `config --raw --json`: strings, as Python's `dict(parser.items(section))` has them. */
export interface RawConfigJson {
  readonly defaults: Readonly<Record<string, string>>;
  readonly sections: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly problems: readonly ProblemJson[];
}

/** What `durant config --raw --json` prints. `problems` are the parser's only. */
export function rawConfig(doc: ConfDocument): RawConfigJson {
  return {
    defaults: rawSection(doc, doc.defaults),
    sections: Object.fromEntries(
      [...doc.sections].map(([name, section]) => [name, rawSection(doc, section)]),
    ),
    problems: doc.problems.map((found) => toProblemJson(doc, found)),
  };
}

function rawSection(doc: ConfDocument, section: ConfSection): Readonly<Record<string, string>> {
  const fill = interpolator(doc, section);
  const options = new Map([...doc.defaults.options, ...section.options]);
  return Object.fromEntries([...options].map(([key, option]) => [key, fill(option).value ?? option.raw]));
}
