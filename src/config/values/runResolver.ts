/** Runs one value resolver (Released's pipeline files), each only once for a set of values. */
import { DurantError, throwIfCancelled } from '../../errors.ts';
import type { ConfDocument } from '../syntax/document.ts';
import { interpolator } from '../syntax/interpolate.ts';
import { resolverOf, secretVariable, type Resolver } from './resolvers.ts';
import { namesSecret } from '../secretNames.ts';
import { didYouMean } from '../rules/suggest.ts';

/** How a local command ended. */
export interface ShellResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What resolvers need from outside. Each call should end when `signal` is aborted. */
export interface ValueIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a `sh!` command on this machine. */
  readonly runShell: (command: string, signal: AbortSignal) => Promise<ShellResult>;
  /** The secret of that name; undefined where there is none and nobody gave it. */
  readonly secret: (name: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Decrypts a PGP message. Rejections are shown with their message. */
  readonly gpg: (message: string, signal: AbortSignal) => Promise<string>;
  readonly signal: AbortSignal;
}

/** What a resolver gave. */
export interface Outcome {
  readonly value: string;
  /** Whether it came, at any remove, from `secret!`, PGP, or a variable whose name says that it holds a secret. */
  readonly secret: boolean;
}

/** For whom a resolver runs, and what was run before. */
export interface Resolving {
  /** The section, in brackets, and the key: for messages. */
  readonly where: string;
  readonly key: string;
  readonly io: ValueIo;
  /** Outcomes by resolver, so that each runs once. */
  readonly run: Map<string, Outcome>;
  /** Variables that are being worked out. */
  readonly open: readonly string[];
}

/** A secret text as it may turn up in output: whole and trimmed. */
export function secretsIn(value: string): readonly string[] {
  return value.trim() === '' ? [] : [value];
}

/**
 * Runs one resolver.
 * @throws {DurantError} `unresolved-value`, with the key and the variable in its sentence; `cancelled`.
 */
export async function runResolver(
  doc: ConfDocument,
  context: Resolving,
  resolver: Resolver,
): Promise<Outcome> {
  throwIfCancelled(context.io.signal);
  const id = `${resolver.kind}!${resolver.argument}`;
  const before = context.run.get(id);
  if (before !== undefined) return before;
  const outcome = await run(doc, context, resolver);
  context.run.set(id, outcome);
  return outcome;
}

async function run(doc: ConfDocument, context: Resolving, resolver: Resolver): Promise<Outcome> {
  const { io } = context;
  const { argument } = resolver;
  switch (resolver.kind) {
    case 'env': {
      const value = Object.hasOwn(io.env, argument) ? io.env[argument] : undefined;
      if (value === undefined)
        throw unresolved(
          context,
          `needs the environment variable ${argument}, which is not set`,
          'Set it and try again.',
        );
      return { value, secret: namesSecret(argument) };
    }
    case 'sh': {
      const { status, stdout, stderr } = await io.runShell(argument, io.signal);
      throwIfCancelled(io.signal);
      if (status !== 0) {
        const said = stderr.trim().slice(-2000);
        throw unresolved(
          context,
          `runs sh!${argument}, which ended with exit status ${String(status)}${said === '' ? '' : ` and said: ${said}`}`,
          'Correct the command.',
        );
      }
      return { value: stdout.replace(/\r?\n$/, ''), secret: false };
    }
    case 'secret': {
      const value = await io.secret(argument, io.signal);
      throwIfCancelled(io.signal);
      if (value === undefined)
        throw unresolved(
          context,
          `needs the secret ${argument}, which is not there`,
          `Set the environment variable ${secretVariable(argument)}, or store it in the editor.`,
        );
      return { value, secret: true };
    }
    case 'pgp':
      return { value: await decrypt(context, argument), secret: true };
    case 'var':
      return await variable(doc, context, argument);
  }
}

async function decrypt(context: Resolving, message: string): Promise<string> {
  try {
    return (await context.io.gpg(message, context.io.signal)).replace(/\r?\n$/, '');
  } catch (error) {
    throwIfCancelled(context.io.signal);
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw unresolved(
      context,
      `is a PGP message that gpg could not decrypt: ${reason.replace(/\.$/, '')}`,
      'Import the private key, or encrypt it again.',
    );
  }
}

/** A key written in `[vars]`; keys that it inherits from DEFAULT do not count. */
async function variable(doc: ConfDocument, context: Resolving, argument: string): Promise<Outcome> {
  const name = argument.toLowerCase();
  const vars = doc.sections.get('vars');
  const option = vars?.options.get(name);
  if (vars === undefined || option === undefined) {
    const meant = didYouMean(name, vars?.options.keys() ?? []);
    throw unresolved(
      context,
      `needs the variable ${argument}, which [vars] does not have`,
      meant === undefined ? 'Add it there.' : `Did you mean ${meant}?`,
    );
  }
  if (context.open.includes(name))
    throw unresolved(
      context,
      `needs the variable ${argument}, which leads back to itself`,
      'Remove the circular reference in [vars].',
    );
  const text = interpolator(doc, vars)(option).value ?? option.raw;
  const resolver = resolverOf(text);
  const named = namesSecret(name);
  if (resolver === undefined || resolver.prefix !== '') return { value: text, secret: named };
  const found = await runResolver(doc, { ...context, open: [...context.open, name] }, resolver);
  return { ...found, secret: found.secret || named };
}

function unresolved(context: Resolving, why: string, remedy: string): DurantError {
  return new DurantError('unresolved-value', `"${context.key}" in ${context.where} ${why}.`, { remedy });
}
