/** From the text of a value to what its option's kind makes of it. */
import { checkItem, checkText, wrong, type Refusal } from './forms.ts';
import { parseBool, parseDuration, parseWhole, type Item } from './kinds.ts';
import type { OptionSpec } from '../options/options.ts';
import {
  hasItems,
  isArmoured,
  itemResolver,
  itemsOf,
  parseAssignment,
  parseCommand,
  wholeResolver,
} from './resolvers.ts';
import { parseServer, type ServerAddress } from './serverEntries.ts';
import { didYouMean } from '../rules/suggest.ts';

/** A parsed value of any kind; see `OptionValue` for which kind gives which. */
export type AnyValue =
  | string
  | number
  | boolean
  | undefined
  | readonly string[]
  | readonly ServerAddress[]
  | Readonly<Record<string, string>>;

/** A refusal of a value or of one of its items. */
export interface ValueRefusal extends Refusal {
  readonly item?: Item | undefined;
}

export interface ValueContext {
  /** `ssh_port` of the stage, for the rule about this machine. */
  readonly sshPort: number | undefined;
}

const isRefusal = (
  result: ServerAddress | { readonly error: string },
): result is { readonly error: string } => 'error' in result;

/**
 * What is wrong with a value, item by item; empty where nothing is. Values and items that a resolver will fill in are
 * not judged. `value` is not empty, except for kinds with items.
 */
export function refusalsOf(spec: OptionSpec, value: string, context: ValueContext): readonly ValueRefusal[] {
  if (wholeResolver(spec.kind, value) !== undefined) return [];
  if (!hasItems(spec.kind)) {
    const refusal = refusalOf(spec, value);
    return refusal === undefined ? [] : [refusal];
  }
  return itemsOf(spec.kind, value).flatMap((item) => {
    if (itemResolver(spec.kind, item.text) !== undefined) return [];
    const refusal = itemRefusal(spec, item.text, context);
    return refusal === undefined ? [] : [{ ...refusal, item }];
  });
}

function refusalOf(spec: OptionSpec, text: string): Refusal | undefined {
  switch (spec.kind) {
    case 'bool':
      return parseBool(text) === undefined
        ? wrong(
            `"${text}" is neither yes nor no. Write yes/no, true/false, on/off or 1/0.`,
            didYouMean(text, ['yes', 'no']),
          )
        : undefined;
    case 'number': {
      const number = parseWhole(text);
      if (number === undefined) return wrong(`"${text}" is not a whole number.`);
      const most = spec.max >= 1_000_000 ? 'up' : `to ${String(spec.max)}`;
      if (number < spec.min || number > spec.max)
        return wrong(`${text} is out of range. Write a number from ${String(spec.min)} ${most}.`);
      return number === spec.not
        ? wrong(`${text} has no meaning here. Write a number from 1 up, or -1 for all.`)
        : undefined;
    }
    case 'duration':
      return parseDuration(text, spec.zero) === undefined
        ? wrong(
            `"${text}" is not a duration. Write 30, 30s, 5m or 1h${spec.zero === true ? ', or 0s for none' : ''}.`,
          )
        : undefined;
    case 'enum': {
      const names = Object.keys(spec.values);
      return names.includes(text)
        ? undefined
        : wrong(`"${text}" is not one of ${names.join(', ')}.`, didYouMean(text, names));
    }
    case 'text':
      return checkText(spec.form, text);
    default:
      return undefined;
  }
}

function itemRefusal(spec: OptionSpec, text: string, context: ValueContext): Refusal | undefined {
  switch (spec.kind) {
    case 'servers': {
      const server = parseServer(text, context);
      return isRefusal(server) ? wrong(server.error) : undefined;
    }
    case 'env':
      return parseAssignment(text) === undefined ? wrong('each item is NAME=value.') : undefined;
    case 'list':
      return checkItem(spec.form, text);
    case 'commands':
      return isArmoured(parseCommand(text).command)
        ? wrong(
            'a message or key is not a command, so none of its lines is run. Pass it to a command in env.',
          )
        : noNul(text);
    default:
      return noNul(text);
  }
}

function noNul(text: string): Refusal | undefined {
  return text.includes('\0') ? wrong('a NUL character is not allowed. Remove it.') : undefined;
}

/** Parses a value without resolvers that has no refusals; an empty one is undefined where its kind has no items. */
export function parseValue(spec: OptionSpec, value: string | undefined, context: ValueContext): AnyValue {
  const text = value ?? '';
  switch (spec.kind) {
    case 'list':
    case 'commands':
      return itemsOf(spec.kind, text).map((item) => item.text);
    case 'servers':
    case 'env':
      return parseItems(
        spec.kind,
        itemsOf(spec.kind, text).map((item) => item.text),
        context,
      );
    case 'bool':
      return parseBool(text);
    case 'number':
      return parseWhole(text);
    case 'duration':
      return parseDuration(text, spec.zero);
    case 'enum':
    case 'text':
      return text === '' ? undefined : text;
  }
}

/** What the items of a value stand for, once its resolvers have been run. */
export function parseItems(
  kind: OptionSpec['kind'],
  items: readonly string[],
  context: ValueContext,
): AnyValue {
  if (kind === 'servers')
    return items.flatMap((item) => {
      const server = parseServer(item, context);
      return isRefusal(server) ? [] : [server];
    });
  if (kind === 'env')
    return Object.fromEntries(
      items.flatMap((item) => {
        const assignment = parseAssignment(item);
        return assignment === undefined ? [] : [[assignment.name, assignment.value] as const];
      }),
    );
  return items;
}

/** What one item of a value is refused for, resolvers not considered. */
export function refuseItem(spec: OptionSpec, text: string, context: ValueContext): Refusal | undefined {
  return itemRefusal(spec, text, context);
}

/** What a value without items is refused for, resolvers not considered. */
export function refuseText(spec: OptionSpec, text: string): Refusal | undefined {
  return refusalOf(spec, text);
}
