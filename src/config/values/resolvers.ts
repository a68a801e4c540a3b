/** The forms of value resolvers: `env!NAME`, `sh!command`, `var!name`, `secret!name` and PGP messages. Nothing is run here. */
import type { Kind } from '../options/options.ts';
import { splitLines, splitList, splitServers, type Item } from './kinds.ts';

export type ResolverKind = 'env' | 'sh' | 'var' | 'secret' | 'pgp';

export interface Resolver {
  readonly kind: ResolverKind;
  /** `local! `, `once! `, `on ROLE! ` or `once ROLE! ` where it stands before the resolver, else empty. */
  readonly prefix: string;
  /** The name, command or message. */
  readonly argument: string;
}

/** Where a command runs, by its prefix: here, on the first server, or (the default) on each; of those with `role`, where one is named. */
export interface PlacedCommand {
  readonly place: 'each' | 'once' | 'local';
  readonly role: string | undefined;
  readonly command: string;
}

const PREFIX = /^(?:(local|once)!|(on|once)\s+([^\s!]+)\s*!)\s*/;
const RESOLVER = /^(env|sh|var|secret)!([\s\S]*)$/;
const PGP_BEGIN = '-----BEGIN PGP MESSAGE-----';

/** Whether a text is a message or key in armour (RFC 4880, RFC 7468): never a command, whatever it stands in. */
export function isArmoured(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN');
}

/** Splits a hook's item at its prefix: `local!`, `once!`, `on ROLE!`, `once ROLE!`. */
export function parseCommand(item: string): PlacedCommand {
  const prefix = PREFIX.exec(item);
  if (prefix === null) return { place: 'each', role: undefined, command: item };
  const [whole, plain, ofRole, role] = prefix;
  const place = plain === 'local' ? 'local' : (plain ?? ofRole) === 'once' ? 'once' : 'each';
  return { place, role, command: item.slice(whole.length) };
}

/** The resolver that a text starts with, or undefined. */
export function resolverOf(text: string): Resolver | undefined {
  const prefix = PREFIX.exec(text)?.[0] ?? '';
  const rest = text.slice(prefix.length);
  // A message may begin on a line after its key's.
  const message = rest.trimStart();
  if (message.startsWith(PGP_BEGIN)) return { kind: 'pgp', prefix, argument: message };
  const match = RESOLVER.exec(rest);
  const argument = match?.[2]?.trim() ?? '';
  switch (match?.[1]) {
    case 'env':
    case 'sh':
    case 'var':
    case 'secret':
      return { kind: match[1], prefix, argument };
    default:
      return undefined;
  }
}

/** Whether values of this kind are made of items. */
export function hasItems(kind: Kind): boolean {
  return kind === 'list' || kind === 'commands' || kind === 'servers' || kind === 'env';
}

/** The items of a value: commands are never split at commas, servers not within brackets. */
export function itemsOf(kind: Kind, value: string): readonly Item[] {
  if (kind === 'servers') return splitServers(value);
  return kind === 'commands' ? splitLines(value) : splitList(value);
}

/**
 * The resolver that stands for the whole value. Of values with items, several lines are several items, and so are several names
 * with commas between; the rest of a `sh!` line is its command.
 */
export function wholeResolver(kind: Kind, value: string): Resolver | undefined {
  const resolver = resolverOf(value);
  if (resolver === undefined || !hasItems(kind)) return resolver;
  if (resolver.prefix !== '') return undefined;
  if (resolver.kind === 'pgp') return splitLines(value).length === 1 ? resolver : undefined;
  if (value.includes('\n')) return undefined;
  if (kind === 'commands' || resolver.kind === 'sh') return resolver;
  return resolver.argument.includes(',') ? undefined : resolver;
}

/** The resolver of one item; of `env` items, that of the part after `NAME=`. */
export function itemResolver(kind: Kind, text: string): Resolver | undefined {
  if (kind !== 'env') return resolverOf(text);
  const assignment = parseAssignment(text);
  return assignment === undefined ? undefined : resolverOf(assignment.value);
}

/** `NAME=value`; undefined where it is not. */
export function parseAssignment(text: string): { readonly name: string; readonly value: string } | undefined {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([\s\S]*)$/.exec(text);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { name: match[1], value: match[2] };
}

/** Every resolver in a value of this kind, with its place in the value. */
export function resolversIn(
  kind: Kind,
  value: string,
): readonly { readonly resolver: Resolver; readonly item: Item }[] {
  const whole = wholeResolver(kind, value);
  if (whole !== undefined) return [{ resolver: whole, item: { text: value, start: 0, end: value.length } }];
  if (!hasItems(kind)) return [];
  return itemsOf(kind, value).flatMap((item) => {
    const resolver = itemResolver(kind, item.text);
    return resolver === undefined ? [] : [{ resolver, item }];
  });
}

/**
 * A secret of the environment: `DURANT_SECRET_<NAME>`, upper-case with `_` for what a variable's name may not have; the name as written is
 * looked at too.
 */
export function secretFromEnvironment(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return env[secretVariable(name)] ?? env[`DURANT_SECRET_${name}`];
}

/** The environment variable that holds a secret on the command line. */
export function secretVariable(name: string): string {
  return `DURANT_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}`;
}
