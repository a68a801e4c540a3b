/** What the option tables say of one key of durant.conf, and the type of value that follows from it. */
import type { ServerAddress } from '../values/serverEntries.ts';

/** The project that an option comes from; `durant-0.3` for what Durant 0.3 adds itself. */
export type Seed = 'durant' | 'deployer' | 'fujin' | 'released' | 'durant-0.3';

/** What a `text` value has to look like; none: any text. */
export type TextForm =
  | 'repository'
  | 'path'
  | 'relative-path'
  | 'release-path'
  | 'current-path'
  | 'project-dir'
  | 'name'
  | 'app'
  | 'variable-name'
  | 'release-name'
  | 'octal-mode'
  | 'upstream'
  | 'version'
  | 'url'
  | 'goal-type'
  | 'git-ref'
  | 'size'
  | 'port-range'
  | 'role';

/** What each item of a `list` has to look like; none: any text. */
export type ItemForm =
  'release-path' | 'goal-name' | 'process-name' | 'static-route' | 'host' | 'role' | 'wave-size';

interface OptionBase {
  /** The value used where the file has none, written as in the file. */
  readonly default?: string;
  /** For options whose default is found out: what it is, in words. */
  readonly defaultDoc?: string;
  /** `deploy`: only in a stage whose `pipeline` has `deploy`; in others its value is empty where it is not written. */
  readonly required?: true | 'deploy';
  /** The value is a secret, wherever it comes from. */
  readonly secret?: true;
  /** The only strategy that the option may be used with. */
  readonly strategy?: 'releases' | 'inplace';
  /** Heading of the reference and of the sample file. */
  readonly group: string;
  /** One or more sentences of Markdown. */
  readonly doc: string;
  /** A value as it would stand in the file; several lines for lists. */
  readonly example: string;
  /** The version of Durant that brought it. */
  readonly since: '0.2.0' | '0.2.3' | '0.3.0';
  readonly seed: Seed;
}

/** One row of an option table. */
export type OptionSpec =
  | (OptionBase & { readonly kind: 'text'; readonly form?: TextForm })
  | (OptionBase & { readonly kind: 'list'; readonly form?: ItemForm })
  | (OptionBase & { readonly kind: 'commands' | 'bool' | 'servers' | 'env' })
  /** `zero`: `0s` is allowed, and means what `doc` says. */
  | (OptionBase & { readonly kind: 'duration'; readonly zero?: true })
  | (OptionBase & {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly not?: number;
    })
  | (OptionBase & { readonly kind: 'enum'; readonly values: Readonly<Record<string, string>> });

export type Kind = OptionSpec['kind'];

/** A table of options by key. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type Certain<O> = O extends { readonly default: string } | { readonly required: true | 'deploy' }
  ? true
  : false;
type Maybe<O, T> = Certain<O> extends true ? T : T | undefined;

/**
 * The parsed value of an option: text and enum as strings, durations in milliseconds, lists and commands as arrays (empty where
 * not set), `server` as addresses, `env` as a record. Options with neither default nor `required` may be undefined.
 */
export type OptionValue<O> = O extends { readonly kind: 'list' | 'commands' }
  ? readonly string[]
  : O extends { readonly kind: 'servers' }
    ? readonly ServerAddress[]
    : O extends { readonly kind: 'env' }
      ? Readonly<Record<string, string>>
      : O extends { readonly kind: 'bool' }
        ? Maybe<O, boolean>
        : O extends { readonly kind: 'number' | 'duration' }
          ? Maybe<O, number>
          : O extends { readonly kind: 'enum'; readonly values: infer V }
            ? Maybe<O, Extract<keyof V, string>>
            : Maybe<O, string>;

/** The parsed values of a table, by the same keys. */
export type ValuesOf<T> = { readonly [K in keyof T]: OptionValue<T[K]> };
