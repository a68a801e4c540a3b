/** Settings of a stage for a run: value resolvers are run, then every value is parsed by its kind. */
import { DurantError } from '../../errors.ts';
import type { ConfDocument, ConfSection } from '../syntax/document.ts';
import { parseWhole } from './kinds.ts';
import { createMasker } from './mask.ts';
import {
  goalOptions,
  OPTIONS,
  PROCESS_OPTIONS,
  type GoalSettings,
  type OptionSpec,
  type OptionTable,
  type ProcessSettings,
  type Settings,
} from '../options/options.ts';
import {
  parseItems,
  parseValue,
  refuseItem,
  refuseText,
  type AnyValue,
  type ValueContext,
} from './parseValue.ts';
import { readSection, resolveStage, type SettingTexts } from './stage.ts';
import {
  hasItems,
  itemResolver,
  itemsOf,
  parseAssignment,
  resolverOf,
  wholeResolver,
  type Resolver,
} from './resolvers.ts';
import { runResolver, secretsIn, type Outcome, type Resolving, type ValueIo } from './runResolver.ts';
import { namesSecret, urlPasswords } from '../secretNames.ts';
import { findNamed, isDeploy } from '../syntax/sections.ts';
import { strip } from '../syntax/whitespace.ts';

export type { ShellResult, ValueIo } from './runResolver.ts';

/**
 * Values, and the secrets among them, to be masked wherever text is shown: what came from `secret!` or PGP, what stands under a name that
 * says so, and the passwords of URLs.
 */
export interface Resolved<T> {
  readonly settings: T;
  readonly secrets: readonly string[];
}

/**
 * The settings of a stage.
 * @throws {DurantError} `unknown-stage`; `unresolved-value` where a resolver fails; `config-invalid` where a value is not of its kind or a
 * required one is missing; `cancelled`.
 */
export async function resolveSettings(
  doc: ConfDocument,
  stage: string,
  io: ValueIo,
): Promise<Resolved<Settings>> {
  const { section, values } = resolveStage(doc, stage);
  const { settings, secrets } = await resolveTable({ doc, section, table: OPTIONS, values }, io);
  // The record was built from OPTIONS, each value by its kind, which is what Settings says.
  return { settings: settings as unknown as Settings, secrets };
}

/**
 * The settings of `[process NAME]`.
 * @throws {DurantError} as `resolveSettings`; `config-invalid` where there is no such section.
 */
export async function resolveProcess(
  doc: ConfDocument,
  name: string,
  io: ValueIo,
): Promise<Resolved<ProcessSettings>> {
  const section = namedSection(doc, 'process', name);
  const values = readSection(doc, section, PROCESS_OPTIONS);
  const { settings, secrets } = await resolveTable({ doc, section, table: PROCESS_OPTIONS, values }, io);
  return { settings: settings as unknown as ProcessSettings, secrets };
}

/** The settings of a goal: those of every goal, and those of its type (or, for a module, its other keys as texts). */
export type ResolvedGoal = GoalSettings & Readonly<Record<string, AnyValue>>;

/**
 * The settings of `[goal NAME]`.
 * @throws {DurantError} as `resolveProcess`.
 */
export async function resolveGoal(
  doc: ConfDocument,
  name: string,
  io: ValueIo,
): Promise<Resolved<ResolvedGoal>> {
  const section = namedSection(doc, 'goal', name);
  const type = section.options.get('type')?.raw;
  const table: Record<string, OptionSpec> = { ...goalOptions(type) };
  for (const key of section.options.keys())
    table[key] ??= namesSecret(key) ? { ...FREE_TEXT, secret: true } : FREE_TEXT;
  const values = readSection(doc, section, table);
  const { settings, secrets } = await resolveTable({ doc, section, table, values }, io);
  return { settings: settings as ResolvedGoal, secrets };
}

const FREE_TEXT: OptionSpec = {
  kind: 'text',
  group: 'Goal',
  doc: 'An option of a module.',
  example: '',
  since: '0.3.0',
  seed: 'released',
};

function namedSection(doc: ConfDocument, kind: 'goal' | 'process', name: string): ConfSection {
  const section = findNamed(doc, kind, name);
  if (section !== undefined) return section;
  throw new DurantError('config-invalid', `durant.conf has no section [${kind} ${name}].`, {
    remedy: 'Add it, or correct the name.',
  });
}

/**
 * One variable of `[vars]`, its resolver run; undefined where it is not there.
 * @throws {DurantError} `unresolved-value`, `cancelled`.
 */
export async function resolveVariable(
  doc: ConfDocument,
  name: string,
  io: ValueIo,
): Promise<{ readonly value: string; readonly secrets: readonly string[] } | undefined> {
  if (doc.sections.get('vars')?.options.has(name.toLowerCase()) !== true) return undefined;
  const found = await runResolver(
    doc,
    { where: '[vars]', key: name, io, run: new Map(), open: [] },
    { kind: 'var', prefix: '', argument: name },
  );
  return {
    value: found.value,
    secrets: [...(found.secret ? secretsIn(found.value) : []), ...urlPasswords(found.value)],
  };
}

interface Section {
  readonly doc: ConfDocument;
  readonly section: ConfSection;
  readonly table: OptionTable;
  readonly values: SettingTexts;
}

async function resolveTable(
  of: Section,
  io: ValueIo,
): Promise<{ readonly settings: Readonly<Record<string, AnyValue>>; readonly secrets: readonly string[] }> {
  const { doc, section, table, values } = of;
  const where = `[${section.name}]`;
  const run: Resolving['run'] = new Map();
  const secrets = new Set(partSecrets(of));
  try {
    const texts = new Map<string, readonly string[]>();
    for (const [key, spec] of Object.entries(table)) {
      const value = values.get(key)?.value;
      if (value === undefined) continue;
      const resolve = async (resolver: Resolver): Promise<Outcome> => {
        const outcome = await runResolver(doc, { where, key, io, run, open: [] }, resolver);
        if (outcome.secret) for (const secret of secretsIn(outcome.value)) secrets.add(secret);
        return outcome;
      };
      const parts = await resolveText(spec, value, resolve, secrets);
      for (const part of parts) for (const secret of writtenSecrets(spec, part)) secrets.add(secret);
      texts.set(key, parts);
    }

    const context: ValueContext = {
      sshPort: Object.hasOwn(table, 'ssh_port') ? parseWhole(texts.get('ssh_port')?.join() ?? '') : undefined,
    };
    const deploys = texts.get('pipeline')?.some(isDeploy) === true;
    const settings: Record<string, AnyValue> = {};
    for (const [key, spec] of Object.entries(table)) {
      const parts = texts.get(key) ?? [];
      const needless = spec.required === 'deploy' && !deploys && parts.join('') === '';
      settings[key] = needless
        ? EMPTY_VALUES[spec.kind === 'servers' ? 'servers' : 'text']
        : parse(spec, parts, context, `"${key}" in ${where}`);
    }
    return { settings, secrets: [...secrets] };
  } catch (error) {
    throw masked(error, [...secrets]);
  }
}

/** A value with its resolvers run: its items, or the one text. Parts of a secret list are secrets too. */
async function resolveText(
  spec: OptionSpec,
  value: string,
  resolve: (resolver: Resolver) => Promise<Outcome>,
  secrets: Set<string>,
): Promise<readonly string[]> {
  const whole = wholeResolver(spec.kind, value);
  if (whole !== undefined) {
    const outcome = await resolve(whole);
    if (!hasItems(spec.kind)) return [whole.prefix + outcome.value];
    const items = itemsOf(spec.kind, outcome.value).map((item) => item.text);
    if (outcome.secret)
      for (const item of items)
        secrets.add(spec.kind === 'env' ? (parseAssignment(item)?.value ?? item) : item);
    return items;
  }
  if (!hasItems(spec.kind)) return [value];

  const parts: string[] = [];
  for (const item of itemsOf(spec.kind, value)) {
    const resolver = itemResolver(spec.kind, item.text);
    if (resolver === undefined) {
      parts.push(item.text);
      continue;
    }
    const { value: text } = await resolve(resolver);
    const name = spec.kind === 'env' ? parseAssignment(item.text)?.name : undefined;
    if (name !== undefined) parts.push(`${name}=${text}`);
    else if (strip(text) !== '') parts.push(resolver.prefix + text);
  }
  return parts;
}

/** Keys that are no options are there for `%(key)s` in others. */
function partSecrets({ doc, section, table, values }: Section): readonly string[] {
  const keys = new Set([...section.options.keys(), ...doc.defaults.options.keys()]);
  return [...keys].flatMap((key) => {
    const text = Object.hasOwn(table, key) || !namesSecret(key) ? undefined : values.get(key)?.value;
    return text === undefined || resolverOf(text) !== undefined ? [] : secretsIn(text);
  });
}

/** What is secret in a value or item by its name or its look. */
function writtenSecrets(spec: OptionSpec, text: string): readonly string[] {
  const assigned = spec.kind === 'env' ? parseAssignment(text) : undefined;
  const value = assigned?.value ?? text;
  const named = spec.secret === true || (assigned !== undefined && namesSecret(assigned.name));
  return [...(named ? secretsIn(value) : []), ...urlPasswords(value)];
}

/** What a stage that does not deploy has for where it would. */
const EMPTY_VALUES = { servers: [], text: '' } as const;

const EMPTY = 'it is empty. Write a value, or remove the line.';

function parse(spec: OptionSpec, parts: readonly string[], context: ValueContext, what: string): AnyValue {
  const refuse = (message: string): DurantError => new DurantError('config-invalid', `${what}: ${message}`);
  if (hasItems(spec.kind)) {
    for (const part of parts) {
      const refusal = refuseItem(spec, part, context);
      if (refusal !== undefined) throw refuse(refusal.message);
    }
    if (parts.length === 0 && spec.required !== undefined) throw refuse('it is required. Add it.');
    if (parts.length === 0 && spec.default !== undefined) throw refuse(EMPTY);
    return parseItems(spec.kind, parts, context);
  }
  const [text = ''] = parts;
  if (text === '') {
    if (spec.required !== undefined) throw refuse('it is required. Add it.');
    if (spec.default !== undefined) throw refuse(EMPTY);
    return undefined;
  }
  const refusal = refuseText(spec, text);
  if (refusal !== undefined) throw refuse(refusal.message);
  return parseValue(spec, text, context);
}

/** An error whose sentence shows no secret. */
function masked(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof DurantError) || secrets.length === 0) return error;
  return error.masked(createMasker(secrets));
}
