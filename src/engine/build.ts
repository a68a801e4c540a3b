/** What happens on this machine: the checkout, the user's build, and the tree that it leaves. */
import { join } from 'node:path';
import { DurantError } from '../errors.ts';
import type { TrackedFile } from '../git/port.ts';
import { createExcluder } from '../transfer/exclude.ts';
import { scanTree } from '../transfer/scan.ts';
import { assessShared } from './goals/shared.ts';
import { assessSpace } from './goals/updateCode.ts';
import { commandEnv, placeOf } from './hooks.ts';
import type { Run, ServerRun } from './run.ts';
import { runUserCommand } from './script.ts';
import { localStep } from './steps.ts';

/** Checks out, builds, and reads the tree that will be sent. */
export async function buildHere(run: Run): Promise<void> {
  const { clone, commit, settings } = ready(run);
  await localStep(run, 'checkout', () => clone.checkout(commit, { submodules: settings.submodules }));
  const commands = buildCommands(run);
  if (commands.length > 0)
    await localStep(run, 'before_deploy', () => runBuild(run, commands, clone.directory));
  await readTree(run, clone.directory, await clone.trackedFiles());
}

/** What the tree itself can be known to fail with. */
export function assessTree(run: Run, server: ServerRun): void {
  assessSpace(run, server);
  assessShared(run, server);
}

export function buildCommands(run: Run): readonly string[] {
  return [...run.settings.before_deploy, ...run.settings.build_command];
}

export async function runBuild(run: Run, commands: readonly string[], directory: string): Promise<void> {
  for (const item of commands)
    await runUserCommand(run, run.local, {
      step: 'before_deploy',
      command: placeOf(item).command,
      directory,
      env: { ...run.environment?.values, ...commandEnv(run, undefined) },
      server: null,
      signal: run.signal,
    });
}

export async function readTree(run: Run, directory: string, tracked: readonly TrackedFile[]): Promise<void> {
  const { clone, commit, settings } = ready(run);
  run.tree = await scanTree({
    workTree: directory,
    subDirectory: settings.sub_directory,
    tracked,
    commitTimeMs: commit.date,
    exclude: createExcluder(settings.exclude),
    cacheFile: run.dryRun ? undefined : join(clone.directory, '.git', 'durant-hashes'),
    signal: run.signal,
  });
  for (const warning of run.tree.warnings) run.emit({ event: 'warning', ...warning, server: null });
}

/** The run's clone and commit, which `fetch` has set. */
export function ready(run: Run): {
  readonly clone: NonNullable<Run['clone']>;
  readonly commit: NonNullable<Run['commit']>;
  readonly settings: Run['settings'];
} {
  const { clone, commit, settings } = run;
  if (clone === undefined || commit === undefined)
    throw new DurantError('internal', 'The commit was asked for before it was fetched.');
  return { clone, commit, settings };
}
