/** The input of a call, checked against its tool's schema. */
import { DurantError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { AgentTool, InputProperty } from './tools.ts';

export interface AgentInput {
  /** undefined where it was left out, or empty. */
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  readonly integer: (name: string) => number | undefined;
}

/** @throws {DurantError} `usage`. */
export function readInput({ name, inputSchema }: AgentTool, input: unknown): AgentInput {
  const refuse = (why: string): never => {
    throw new DurantError('usage', `${name} cannot be called like that: ${why}.`);
  };
  const given = input ?? {};
  if (!isRecord(given)) return refuse('its input is no object');
  const { properties, required = [] } = inputSchema;
  for (const [key, value] of Object.entries(given)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property === undefined)
      return refuse(`it takes no ${printable(key)}, only ${Object.keys(properties).join(', ')}`);
    if (!fits(value, property)) return refuse(`${key} is not what it has to be: ${wanted(property)}`);
  }
  for (const key of required)
    if (given[key] === undefined || given[key] === '') return refuse(`${key} is missing`);
  const of = (key: string): unknown => given[key];
  return {
    text: (key) => {
      const value = of(key);
      return typeof value === 'string' && value !== '' ? value : undefined;
    },
    flag: (key) => of(key) === true,
    integer: (key) => {
      const value = of(key);
      return typeof value === 'number' ? value : undefined;
    },
  };
}

function fits(value: unknown, property: InputProperty): boolean {
  const { type, enum: values, minimum = -Infinity, maximum = Infinity } = property;
  switch (type) {
    case 'string':
      return typeof value === 'string' && (values === undefined || values.includes(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum;
  }
}

function wanted({ type, enum: values, minimum, maximum }: InputProperty): string {
  if (values !== undefined) return values.join(' or ');
  return minimum === undefined ? `a ${type}` : `an ${type} from ${String(minimum)} to ${String(maximum)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
