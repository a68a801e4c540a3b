/**
 * The environment file as a release gets it: `NAME='value'` lines in the subset that systemd's `EnvironmentFile=`, a POSIX sh that
 * sources it, and dotenv read alike. Pure.
 */
import { DurantError } from '../../errors.ts';

/** What every release of a run gets as its `env_target`. */
export interface ReleaseEnvironment {
  /** Every variable with its value. */
  readonly values: Readonly<Record<string, string>>;
  /** Names of those whose values were looked up. */
  readonly lookedUp: readonly string[];
  /** The file, as servers get it. */
  readonly text: string;
  /** By a keyed hash, so that what lies on a server does not let values be guessed cheaply. */
  readonly digest: string;
}

/** The file's text. @throws {DurantError} `config-invalid`, naming the variable that cannot be so written; its value is not shown. */
export function writeEnvText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(name, value)}\n`)
    .join('');
}

/** Reads what `writeEnvText` wrote; other lines are skipped. */
export function readEnvText(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, name = '', single, double] of text.matchAll(
    /^([A-Za-z_][A-Za-z0-9_]*)=(?:'([^']*)'|"([^"]*)")$/gm,
  ))
    values[name] = single ?? double ?? '';
  return values;
}

function quoted(name: string, value: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw refusal(name, 'is not a name of a variable for a shell. Use letters, digits and "_".');
  // systemd takes no control characters but these two; dotenv reads every line end as \n.
  if (/[\p{Cc}\p{Surrogate}\ufeff]/u.test(value.replaceAll(/[\t\n]/g, '')))
    throw refusal(name, 'has a control character in its value. Encode the value, e.g. as base64.');
  if (!value.includes("'")) {
    // dotenv takes \' for a quote that belongs to the value.
    if (value.endsWith('\\'))
      throw refusal(
        name,
        'has a value that ends with a backslash, which dotenv cannot read. Encode it, e.g. as base64.',
      );
    return `'${value}'`;
  }
  if (!/["\\$`]/.test(value)) return `"${value}"`;
  throw refusal(
    name,
    'has a value with an apostrophe beside one of " \\ $ `, which systemd, sh and dotenv do not read alike. Encode it, e.g. as base64.',
  );
}

function refusal(name: string, why: string): DurantError {
  return new DurantError('config-invalid', `env_file: ${name} ${why}`);
}
