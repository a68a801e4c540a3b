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

/**
 * The file's text.
 * @param optionOf the option that a variable comes from, for messages.
 * @throws {DurantError} `config-invalid`, naming the variable that cannot be so written; its value is not shown.
 */
export function writeEnvText(
  values: Readonly<Record<string, string>>,
  optionOf: (name: string) => 'env' | 'env_file' = () => 'env_file',
): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(name, value, optionOf(name))}\n`)
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

function quoted(name: string, value: string, option: 'env' | 'env_file'): string {
  const refusal = (why: string, remedy: string): DurantError =>
    new DurantError('config-invalid', `${option}: ${name} ${why}.`, { remedy });
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw refusal('is not a name of a variable for a shell', 'Use letters, digits and "_".');
  // systemd takes no control characters but these two; dotenv reads every line end as \n.
  if (/[\p{Cc}\p{Surrogate}\ufeff]/u.test(value.replaceAll(/[\t\n]/g, '')))
    throw refusal('has a control character in its value', 'Encode the value, e.g. as base64.');
  if (!value.includes("'")) {
    // dotenv takes \' for a quote that belongs to the value.
    if (value.endsWith('\\'))
      throw refusal(
        'has a value that ends with a backslash, which dotenv cannot read',
        'Encode it, e.g. as base64.',
      );
    return `'${value}'`;
  }
  if (!/["\\$`]/.test(value)) return `"${value}"`;
  throw refusal(
    'has a value with an apostrophe beside one of " \\ $ `, which systemd, sh and dotenv do not read alike',
    'Encode it, e.g. as base64.',
  );
}
