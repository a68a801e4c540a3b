/** Runs suites (`*.host.ts`) inside a real VS Code's extension host and reports each of their tests as one of ours. */
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { Test } from 'mocha';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planVariable, type HostTestPlan, type HostTestResult } from './hostRunner.ts';
import type { Age } from './server.ts';

export interface HostTests {
  readonly age: Age;
  /** Paths of the suites. */
  readonly suites: readonly string[];
  /** The extension to load: a folder, */
  readonly extension?: string;
  /** or a package. Default: the checkout. */
  readonly vsix?: () => string;
  /** True: the folder is not trusted. */
  readonly untrusted?: boolean;
  /** Of the texts of extensions, such as `de`. */
  readonly language?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What is open: one new, empty folder (default), two of them called `one` and `two`, or nothing. */
  readonly open?: 'folder' | 'folders' | 'nothing';
}

/** Declares a mocha suite whose tests are those of the suites. */
export function describeInVsCode(title: string, tests: HostTests): void {
  describe(title, function () {
    this.timeout(10 * 60_000);
    // A suite needs one test of its own for its hooks to run; the others are added by the hook.
    it('ran', () => undefined);
    before(async function () {
      const own = this.test?.parent;
      const { results, output } = await runInVsCode(tests);
      if (results.length === 0) throw new Error(`No test ran in VS Code:\n${output}`);
      for (const { title: name, error } of results) {
        own?.addTest(
          new Test(name, () => {
            if (error !== undefined) assert.fail(error);
          }),
        );
      }
    });
  });
}

/** One VS Code, from its start to its end. `output` is of use where there are no results. */
export async function runInVsCode(
  tests: HostTests,
): Promise<{ readonly results: readonly HostTestResult[]; readonly output: string }> {
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'durant-editor-')));
  // Below the checkout, so that what the suites import from node_modules is found.
  const bundles = resolve('.cache', basename(scratch));
  try {
    const results = join(scratch, 'results.jsonl');
    const workspace = join(scratch, 'workspace');
    await mkdir(join(scratch, 'home'));
    await mkdir(workspace);
    await writeFile(results, '');
    if (tests.settings !== undefined) {
      await mkdir(join(workspace, '.vscode'));
      await writeFile(join(workspace, '.vscode', 'settings.json'), JSON.stringify(tests.settings));
    }
    const { runner, files } = await bundleSuites(tests.suites, bundles);
    const plan: HostTestPlan = { files, results, grep: process.env['DURANT_HOST_GREP'] };
    const status = await runTests({
      vscodeExecutablePath: resolve(import.meta.dirname, 'launcher.mjs'),
      extensionDevelopmentPath: tests.extension ?? resolve('.'),
      extensionTestsPath: runner,
      extensionTestsEnv: {
        ...process.env,
        [planVariable]: JSON.stringify(plan),
        HOME: join(scratch, 'home'),
        XDG_CACHE_HOME: join(scratch, 'home', '.cache'),
        XDG_STATE_HOME: join(scratch, 'home', '.local', 'state'),
        XDG_CONFIG_HOME: join(scratch, 'home', '.config'),
      },
      launchArgs: [
        `--user-data-dir=${join(scratch, 'data')}`,
        `--durant-vscode=${tests.age}`,
        ...(tests.vsix === undefined ? [] : [`--durant-vsix=${tests.vsix()}`]),
        ...(tests.untrusted === true ? ['--durant-trust'] : []),
        ...(tests.language === undefined ? [] : [`--durant-language=${tests.language}`]),
        ...(await openedIn(scratch, workspace, tests.open ?? 'folder')),
      ],
    }).catch(String);
    const lines = (await readFile(results, 'utf8')).split('\n').filter((line) => line !== '');
    return { results: lines.map((line) => JSON.parse(line) as HostTestResult), output: String(status) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(bundles, { recursive: true, force: true });
  }
}

async function openedIn(
  scratch: string,
  workspace: string,
  open: NonNullable<HostTests['open']>,
): Promise<readonly string[]> {
  if (open === 'nothing') return [];
  if (open === 'folder') return [workspace];
  for (const name of ['one', 'two']) await mkdir(join(scratch, name));
  const file = join(scratch, 'both.code-workspace');
  await writeFile(file, JSON.stringify({ folders: [{ path: 'one' }, { path: 'two' }] }));
  return [file];
}

async function bundleSuites(
  suites: readonly string[],
  outdir: string,
): Promise<{ readonly runner: string; readonly files: readonly string[] }> {
  const entries = [join(import.meta.dirname, 'hostRunner.ts'), ...suites.map((suite) => resolve(suite))];
  await build({
    entryPoints: Object.fromEntries(entries.map((entry) => [basename(entry, '.ts'), entry])),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    packages: 'external',
    external: ['vscode'],
    define: {
      'import.meta.dirname': JSON.stringify(resolve('test/editor')),
      'import.meta.url': JSON.stringify(pathToFileURL(resolve('test/editor/suite.ts')).href),
    },
    logLevel: 'warning',
  });
  const [runner = '', ...files] = entries.map((entry) => join(outdir, `${basename(entry, '.ts')}.cjs`));
  return { runner, files };
}
