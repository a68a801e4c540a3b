/** A goal of a `[goal NAME]` section in a run: its working directory, its tries, and what it is given. */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expandLocalPath } from '../../config/values/localPath.ts';
import type { PipelineGoal } from '../../config/values/pipelineGoals.ts';
import type { Entry } from './entry.ts';
import { attempt } from './types/attempts.ts';
import type { GoalWork, SectionGoal } from './types/goalContext.ts';
import { GoalFailure } from './types/goalFailure.ts';
import { makeGoal } from './types/makeGoal.ts';
import type { GoalTree } from './goalTree.ts';
import { commandEnv } from '../run/hooks.ts';
import type { FetchedRun } from '../run/run.ts';

type Section = Extract<PipelineGoal, { readonly kind: 'section' }>;

export function sectionEntry(run: FetchedRun, section: Section, tree: GoalTree): Entry {
  const { name, settings } = section;
  const project = dirname(run.request.file);
  let made: SectionGoal | undefined;
  const goal = async (): Promise<SectionGoal> =>
    (made ??= await makeGoal(name, settings, { project, trusted: run.request.trusted === true }));

  const once = async <T>(work: (goal: SectionGoal, work: GoalWork) => Promise<T>): Promise<T> => {
    const of = await goal();
    const directory = await workingDirectory(run, section, of, tree);
    return attempt((signal) => work(of, workOf(run, section, directory, signal)), {
      retries: settings.retries,
      delayMs: settings.retry_delay,
      sleep: run.host.sleep,
      timeoutMs: settings.timeout,
      network: of.network,
      signal: run.signal,
      onRetry: (message) =>
        run.emit({ event: 'warning', code: 'goal-retried', message: `${name}: ${message}`, server: null }),
    });
  };
  return {
    name,
    type: settings.type,
    optional: section.optional,
    assess: () => once(async (of, work) => of.assess?.(work)),
    look: () =>
      once(async (of, work) => ({ achieved: await of.achieved(work), reason: await of.reason(work) })),
    achieve: () => once((of, work) => of.achieve(work)),
    effectful: () => made?.effectful !== false,
    commands: () => made?.commands?.() ?? [],
  };
}

/** `working_dir`, relative to durant.conf's folder; else the clone. */
async function workingDirectory(
  run: FetchedRun,
  { settings }: Section,
  goal: SectionGoal,
  tree: GoalTree,
): Promise<string> {
  const project = dirname(run.request.file);
  if (settings.working_dir === undefined) return goal.usesDirectory ? tree.directory() : project;
  const directory = resolve(project, expandLocalPath(settings.working_dir, run.host.env));
  if ((await stat(directory).catch(() => undefined))?.isDirectory() === true) return directory;
  throw new GoalFailure(`working_dir ${settings.working_dir} is not a folder (${directory}).`, {
    remedy: 'Correct it.',
  });
}

function workOf(
  run: FetchedRun,
  { name, settings }: Section,
  directory: string,
  signal: AbortSignal,
): GoalWork {
  const { commit } = run;
  return {
    name,
    stage: run.request.stage,
    options: settings,
    directory,
    project: dirname(run.request.file),
    commit: commit.id,
    branch: commit.branch,
    env: commandEnv(run, undefined),
    dryRun: run.dryRun,
    signal,
    output: (line) => run.emit({ event: 'output', server: null, stream: 'stdout', line }),
    run,
  };
}
