/** `type: ./path/to/goal.mjs`: a module of the project that is a goal by itself. Only loaded where the project is trusted. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cancelled, DurantError, reasonOf } from '../../../errors.ts';
import type { Goal } from './goal.ts';
import type { GoalContext, GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';

/** A goal as a module gives it: the interface `Goal`, where `reason` may also be missing or a text, and results may be plain values. */
interface LoadedGoal {
  readonly module: object;
  readonly effectful: boolean;
}

/**
 * The goal that the module at `path` exports: as default an object, a class or a function that is given the options, or its named exports.
 * @param project folder of durant.conf, which `path` is relative to.
 * @throws {DurantError} `goal-failed` where the project is not trusted, or the module is missing or is no goal.
 */
export async function projectModule(
  name: string,
  request: {
    readonly path: string;
    readonly project: string;
    readonly trusted: boolean;
    readonly options: GoalContext['options'];
  },
): Promise<SectionGoal> {
  const { path } = request;
  if (!request.trusted)
    throw new GoalFailure(
      `The goal ${name} is code of this project (${path}), which is only loaded where the project is trusted.`,
      { remedy: 'Trust the workspace, or remove the goal from pipeline.' },
    );
  const { module, effectful } = await load(request);
  const call = async (method: keyof Goal<GoalContext>, work: GoalWork): Promise<unknown> => {
    const found: unknown = Reflect.get(module, method);
    if (typeof found !== 'function') return found;
    try {
      return await Reflect.apply(found, module, [publicPart(work)]);
    } catch (error) {
      throw failureOf(error, path);
    }
  };
  const may = (method: string): boolean => typeof Reflect.get(module, method) === 'function';
  return {
    name,
    usesDirectory: true,
    network: false,
    effectful,
    ...(may('assess') ? { assess: async (work: GoalWork) => void (await call('assess', work)) } : {}),
    async achieved(work) {
      return (await call('achieved', work)) === true;
    },
    async reason(work) {
      const reason = await call('reason', work);
      return typeof reason === 'string' && reason !== '' ? reason : `${path} does not say why`;
    },
    async achieve(work) {
      await call('achieve', work);
    },
  };
}

async function load(request: {
  readonly path: string;
  readonly project: string;
  readonly options: GoalContext['options'];
}): Promise<LoadedGoal> {
  const file = resolve(request.project, request.path);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new GoalFailure(`There is no module ${request.path} in ${request.project}.`, {
      remedy: 'Correct type.',
    });
  const url = pathToFileURL(file);
  // Loaded anew when it was changed: an editor lives longer than one run.
  url.search = `changed=${String(found.mtimeMs)}`;
  let exported: unknown;
  try {
    exported = await import(url.href);
  } catch (error) {
    throw new GoalFailure(`The module ${request.path} could not be loaded: ${reasonOf(error)}.`, {
      remedy: 'Fix it.',
      cause: error,
    });
  }
  const module = goalIn(exported, request.options);
  if (module === undefined || !has(module, 'achieved') || !has(module, 'achieve'))
    throw new GoalFailure(`The module ${request.path} is not a goal.`, {
      remedy:
        'Export the functions achieved and achieve from it, by name or in a default export; reason, assess and effectful may be there.',
    });
  return { module, effectful: Reflect.get(module, 'effectful') !== false };
}

function goalIn(exported: unknown, options: GoalContext['options']): object | undefined {
  if (typeof exported !== 'object' || exported === null) return undefined;
  const main: unknown = Reflect.get(exported, 'default');
  if (typeof main === 'object' && main !== null) return main;
  if (typeof main !== 'function') return exported;
  const isClass =
    typeof main.prototype === 'object' && main.prototype !== null && has(main.prototype, 'achieve');
  const made: unknown = isClass
    ? Reflect.construct(main, [options])
    : Reflect.apply(main, undefined, [options]);
  return typeof made === 'object' && made !== null ? made : undefined;
}

function has(goal: object, method: string): boolean {
  return typeof Reflect.get(goal, method) === 'function';
}

/** The engine's run is not the module's to touch. */
function publicPart({ run: _, ...context }: GoalWork): GoalContext {
  return context;
}

/** What a module threw; `mayPass: true` on it asks for another try. */
function failureOf(error: unknown, path: string): DurantError {
  if (error instanceof DurantError) return error;
  if (error instanceof Error && error.name === 'AbortError') return cancelled();
  const message = reasonOf(error);
  const mayPass = typeof error === 'object' && error !== null && Reflect.get(error, 'mayPass') === true;
  return new GoalFailure(message === '' ? `${path} failed, and did not say why.` : message, {
    mayPass,
    cause: error,
  });
}
