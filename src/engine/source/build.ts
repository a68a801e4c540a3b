/** What happens on this machine: the checkout, the user's build, and the tree that it leaves. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommand } from '../../config/values/resolvers.ts';
import { DurantError } from '../../errors.ts';
import { HASHES_FILE } from '../../git/gitFolder.ts';
import type { TrackedFile } from '../../git/port.ts';
import { createExcluder, type Excluder } from '../../transfer/tree/exclude.ts';
import { scanTree, type Tree } from '../../transfer/tree/scan.ts';
import { assessShared } from '../steps/shared.ts';
import { assessSpace } from '../steps/updateCode.ts';
import { commandEnv } from '../run/hooks.ts';
import {
  withFound,
  type BuiltRun,
  type DeployRun,
  type FetchedRun,
  type Run,
  type ServerRun,
} from '../run/run.ts';
import { runUserCommand } from '../run/script.ts';
import { localStep } from '../run/timed.ts';
import { withVersion } from './version.ts';

/** Checks out, builds, and reads the tree that will be sent. */
export async function buildHere(run: DeployRun): Promise<BuiltRun> {
  const { clone, commit, settings } = run;
  await localStep(run, 'checkout', () => clone.checkout(commit, { submodules: settings.submodules }));
  const commands = buildCommands(run);
  if (commands.length > 0)
    await localStep(run, 'before_deploy', () => runBuild(run, commands, clone.directory));
  return withFound(run, { tree: await readTree(run, clone.directory, await clone.trackedFiles()) });
}

/** What the tree itself can be known to fail with. */
export function assessTree(run: BuiltRun, servers: readonly ServerRun[] = run.servers): void {
  for (const server of servers) {
    assessSpace(run, server);
    assessShared(run, server);
  }
}

export function buildCommands(run: Run): readonly string[] {
  return [...run.settings.before_deploy, ...run.settings.build_command];
}

export async function runBuild(run: Run, commands: readonly string[], directory: string): Promise<void> {
  for (const item of commands)
    await runUserCommand(run, run.local, {
      step: 'before_deploy',
      command: parseCommand(item).command,
      directory,
      env: { ...run.environment?.values, ...commandEnv(run, undefined) },
      server: null,
      signal: run.signal,
    });
}

/** Reads what is sent of a work tree. @throws {DurantError} `distfile-missing`. */
export async function readTree(
  run: FetchedRun,
  directory: string,
  tracked: readonly TrackedFile[],
): Promise<Tree> {
  const { clone, commit, settings } = run;
  const tree = await scanTree({
    workTree: directory,
    subDirectory: settings.distfile === undefined ? settings.sub_directory : undefined,
    tracked,
    commitTimeMs: commit.date,
    exclude: excluderOf(run),
    ...run.strategy.scan,
    cacheFile: run.dryRun ? undefined : join(clone.directory, '.git', HASHES_FILE),
    signal: run.signal,
  });
  assertDistfiles(run, tree);
  for (const warning of tree.warnings) run.emit({ event: 'warning', ...warning, server: null });
  return tree;
}

/** Whether a commit itself has the folder or files that are sent: else there is nothing to compare before they are built. */
export function hasWhatIsSent(run: Run, directory: string): boolean {
  const { distfile, sub_directory } = run.settings;
  if (distfile !== undefined) return distfiles(run).every((path) => existsSync(join(directory, path)));
  const found = statSync(join(directory, sub_directory ?? ''), { throwIfNoEntry: false });
  return found?.isDirectory() === true;
}

/** With `distfile`: that file and `requirements` instead of the tree. */
function excluderOf(run: Run): Excluder {
  const only = distfiles(run).map((path) => Buffer.from(path, 'utf8').toString('latin1'));
  if (only.length === 0) return createExcluder(run.settings.exclude);
  return (path, isDirectory) =>
    !only.some((each) => (isDirectory ? each.startsWith(`${path}/`) : each === path));
}

function distfiles(run: Run): readonly string[] {
  const { distfile, requirements } = run.settings;
  if (distfile === undefined) return [];
  return [distfile, ...(requirements === undefined ? [] : [requirements])].map((path) =>
    withVersion(run, path),
  );
}

/** @throws {DurantError} `distfile-missing`. */
function assertDistfiles(run: Run, tree: Tree): void {
  const inTree = new Set(tree.entries.flatMap(({ path, type }) => (type === 'dir' ? [] : [path])));
  const missing = distfiles(run).filter((path) => !inTree.has(Buffer.from(path, 'utf8').toString('latin1')));
  if (missing.length === 0) return;
  throw new DurantError(
    'distfile-missing',
    `The build left no ${missing.join(', no ')} in the clone, so nothing was sent.`,
    { remedy: 'Make it in before_deploy, or correct distfile and requirements.' },
  );
}
