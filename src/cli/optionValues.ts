/** Values of options: as text from the command line, checked, and as commander hands them on, typed. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/values/kinds.ts';

/** What commander read, by the option's name in camel case. */
export type Options = Readonly<Record<string, unknown>>;

export type OptionValue = string | number | readonly string[];

/** Checks and reads the text of an option's value; `before` is what it was given before. @throws {InvalidArgumentError} */
export type OptionReader = (value: string, before: OptionValue | undefined) => OptionValue;

export function flag(options: Options, name: string): boolean {
  return options[name] === true;
}

export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function number(options: Options, name: string): number | undefined {
  const value = options[name];
  return typeof value === 'number' ? value : undefined;
}

export function list(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function collect(value: string, before: OptionValue | undefined): readonly string[] {
  return [...(typeof before === 'object' ? before : []), nonEmpty(value)];
}

export function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

export function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw new InvalidArgumentError('A duration is 30, 30s, 5m or 1h.');
  return ms;
}

export function kept(value: string): number {
  if (!/^(-1|[1-9]\d{0,5})$/.test(value))
    throw new InvalidArgumentError('Give a number from 1 up, or -1 for all.');
  return Number(value);
}
