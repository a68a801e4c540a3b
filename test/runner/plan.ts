/** Which test files run, what each needs for itself, and the order they are started in. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What files use and have to wait for. */
export type Need = 'vscode' | 'systemd';

/** How many at a time: the editor's browser takes the processors, what runs in a Debian mostly waits. */
export const AT_ONCE: Readonly<Record<Need, number>> = { vscode: 1, systemd: 2 };

export interface TestFile {
  /** Relative to the checkout. */
  readonly path: string;
  readonly needs: ReadonlySet<Need>;
  /** Whether it mostly waits, as for processes in the Debian to come up and to stay. */
  readonly waits: boolean;
}

/** What is imported at run time. */
const importPattern = /^(?:im|ex)port (?!type )[^;']* from '(\.[^']+)'/gm;

/** A file needs what these need that it is or imports, by itself or through others. */
const needOf: Readonly<Record<string, Need>> = {
  'test/editor/rig/server.ts': 'vscode',
  'test/editor/rig/hostTests.ts': 'vscode',
  'test/editor/demoEditor.test.ts': 'vscode',
  'test/support/systemd.ts': 'systemd',
};

/** @throws where a name is neither a file, a folder, one of those below test/, nor a part of such a name. */
export function findTests(names: readonly string[]): readonly TestFile[] {
  const paths = names.length === 0 ? testsIn('test') : names.flatMap(testsOf);
  return [...new Set(paths)].sort().map((path) => {
    const needs = needsOf(path, new Set());
    return { path, needs, waits: needs.size === 1 && needs.has('systemd') };
  });
}

/**
 * The longest of those that share nothing, for a checkout that has no durations of its own yet. One that is started last lets the run
 * wait for it with a processor idle.
 */
export const longest: readonly string[] = [
  'test/e2e/faults.killed.test.ts',
  'test/e2e/install.test.ts',
  'test/e2e/inplace.test.ts',
  'test/e2e/faults.disk.test.ts',
  'test/e2e/deadMan.test.ts',
  'test/remote/target.test.ts',
  'test/engine/layout.test.ts',
  'test/e2e/faults.switch.test.ts',
  'test/e2e/steps.writable.test.ts',
  'test/e2e/drift.test.ts',
  'test/e2e/faults.line.test.ts',
  'test/transfer/stream.test.ts',
  'test/e2e/pipeline.types.test.ts',
  'test/e2e/lockLost.test.ts',
  'test/simulation/simulation.test.ts',
  'test/e2e/rsync.test.ts',
  'test/e2e/cancel.test.ts',
  'test/e2e/hooks.test.ts',
  'test/e2e/pipeline.test.ts',
  'test/e2e/lock.test.ts',
  'test/e2e/cli.errors.test.ts',
  'test/e2e/steps.test.ts',
  'test/e2e/steps.health.test.ts',
  'test/simulation/nth.test.ts',
  'test/e2e/check.connect.test.ts',
  'test/engine/locks.test.ts',
];

/**
 * Those that others have to wait for come first, then what is expected to take longest. `known`: milliseconds of the last run; without
 * them `longest` counts, and then the size of the file.
 */
export function inOrder(files: readonly TestFile[], known: ReadonlyMap<string, number>): readonly TestFile[] {
  const expected = ({ path }: TestFile): number =>
    known.get(path) ?? (longest.includes(path) ? 1e6 - longest.indexOf(path) : statSync(path).size);
  return files.toSorted((a, b) => b.needs.size - a.needs.size || expected(b) - expected(a));
}

function testsOf(name: string): readonly string[] {
  for (const path of [name, `test/${name}`, `test/${name}.test.ts`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return testsIn(path);
    if (found?.isFile() === true) return [path];
  }
  const parts = testsIn('test').filter((path) => path.includes(name));
  if (parts.length > 0) return parts;
  throw new Error(
    `No test file or folder is called ${name}. The tests are in test/, in folders named like those of src/.`,
  );
}

function testsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}

/** @param seen files that were looked at; this one is added. */
function needsOf(path: string, seen: Set<string>): ReadonlySet<Need> {
  const needs = new Set<Need>();
  if (seen.has(path)) return needs;
  seen.add(path);
  const own = needOf[path];
  if (own !== undefined) needs.add(own);
  for (const [, imported = ''] of readFileSync(path, 'utf8').matchAll(importPattern)) {
    const file = join(dirname(path), imported);
    if (file.startsWith('test/')) for (const need of needsOf(file, seen)) needs.add(need);
  }
  return needs;
}
