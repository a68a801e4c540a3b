/** One VS Code server and one browser in which windows run suites (`*.host.ts`, `*.suite.ts`) inside the extension host. */
import { build } from 'esbuild';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { packagedExtension } from '../../../scripts/packaged.mjs';
import { shellText } from '../../../scripts/shellText.mjs';
import { newContext, openBrowser } from './browser.ts';
import { listenForHostEvents, type HostOutcome } from './hostEvents.ts';
import type { HostTestPlan } from './hostRunner.ts';
import { startEditorServer, type Age, type EditorServer } from './server.ts';

export interface HostWindow {
  /** Paths of the suites, in the order they run in. */
  readonly suites: readonly string[];
  /** A regular expression on full titles. Default: all tests. */
  readonly grep?: string;
  /** True: its folders are not trusted. */
  readonly untrusted?: boolean;
  /** Of the texts of extensions, such as `de`. VS Code's own texts stay as they are. */
  readonly language?: string;
  /** What is open: one new, empty folder (default), two of them called `one` and `two`, or nothing. */
  readonly open?: 'folder' | 'folders' | 'nothing';
}

export interface EditorHost {
  /** A window from its opening to its end. One at a time. */
  readonly run: (window: HostWindow) => Promise<HostOutcome>;
  readonly end: () => Promise<void>;
}

/** The packaged extension in a VS Code with a home folder of its own. */
export async function startEditorHost(age: Age): Promise<EditorHost> {
  // Short names: the path of a socket has at most 107 bytes.
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'vs-')));
  const ends = [() => rm(scratch, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const each of ends.splice(0).reverse())
      await each().catch((error: unknown) => {
        failures.push(error);
      });
    if (failures.length > 0)
      throw new AggregateError(failures, `VS Code did not end: ${failures.map(String).join('\n')}`);
  };
  try {
    const home = join(scratch, 'home');
    await mkdir(home);
    const server = await startEditorServer({
      age,
      extent: 'few',
      dataDir: dataDir(scratch),
      automation: true,
      vsix: [await packagedExtension()],
      env: {
        HOME: home,
        XDG_CACHE_HOME: join(home, '.cache'),
        XDG_STATE_HOME: join(home, '.local', 'state'),
        XDG_CONFIG_HOME: join(home, '.config'),
      },
    });
    ends.push(server.stop);
    const browser = await openBrowser(scratch);
    ends.push(() => browser.close());
    const context = await newContext(browser);
    let windows = 0;
    return {
      end,
      run: (window) => {
        windows += 1;
        return runWindow({ server, context, scratch, name: `w${String(windows)}` }, window);
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const dataDir = (scratch: string): string => join(scratch, 'd');

interface Place {
  readonly server: EditorServer;
  readonly context: BrowserContext;
  readonly scratch: string;
  readonly name: string;
}

async function runWindow(place: Place, window: HostWindow): Promise<HostOutcome> {
  const { server, context, scratch, name } = place;
  // Below the checkout, so that what the suites import from node_modules is found.
  const bundles = resolve('.cache', `${basename(scratch)}-${name}`);
  const socket = join(scratch, `${name}.sock`);
  const events = await listenForHostEvents(socket);
  const page = await context.newPage();
  // Nobody looks: what lies outside of the window is laid out, and not painted.
  await page.addInitScript({
    content: `addEventListener('DOMContentLoaded', () => { document.documentElement.style.transform = 'translateX(-20000px)'; });`,
  });
  try {
    const { runner, files } = await bundleSuites(window.suites, bundles);
    const plan: HostTestPlan = { files, socket, grep: process.env['DURANT_HOST_GREP'] ?? window.grep };
    const entry = join(bundles, 'entry.cjs');
    await writeFile(
      entry,
      `exports.run = () => require(${JSON.stringify(runner)}).runHostTests(${JSON.stringify(plan)});\n`,
    );
    await server.configure({ 'security.workspace.trust.enabled': window.untrusted === true });
    const { exited, errors } = await listenInPage(page, window);
    void exited.then(events.hostEnded);
    page.on('crash', () => {
      events.giveUp('The window crashed');
    });
    const installed = join(dataDir(scratch), 'extensions');
    const extension = (await readdir(installed)).find((folder) => folder.startsWith('durant.durant-')) ?? '';
    const remote = (path: string): string => `vscode-remote://127.0.0.1:${String(server.port)}${path}`;
    await page.goto(
      server.url(await openedIn(join(scratch, name), window.open ?? 'folder'), [
        ['extensionDevelopmentPath', remote(join(installed, extension))],
        ['extensionTestsPath', remote(entry)],
      ]),
      { waitUntil: 'commit' },
    );
    const outcome = await events.outcome;
    if (outcome.incomplete !== undefined)
      return {
        ...outcome,
        incomplete: [outcome.incomplete, ...errors.slice(-20), server.log().slice(-4000)].join('\n'),
      };
    // The extension host is gone by then; a window that is closed before leaves its host waiting for it.
    await exited;
    return outcome;
  } finally {
    events.close();
    await page.close();
    await rm(bundles, { recursive: true, force: true });
  }
}

/** What the workbench says to whoever automates it: lines of the console, and the end of the tests' extension host. */
async function listenInPage(
  page: Page,
  { language }: HostWindow,
): Promise<{ readonly exited: Promise<void>; readonly errors: readonly string[] }> {
  const errors: string[] = [];
  await page.exposeFunction('codeAutomationLog', (level: string, words: readonly unknown[]) => {
    // The workbench's own noise about missing native modules and telemetry is no test output.
    const text = words.map(String).join(' ');
    if (level === 'error') errors.push(text);
    if (level === 'log' && !text.startsWith('%c')) console.log(text);
  });
  if (language !== undefined)
    await page.addInitScript({ content: `globalThis._VSCODE_NLS_LANGUAGE = ${JSON.stringify(language)}` });
  let exit = (): void => undefined;
  const exited = new Promise<void>((done) => (exit = done));
  await page.exposeFunction('codeAutomationExit', exit);
  return { exited, errors };
}

/** Makes what is to be open below `folder`. Gives its path. */
async function openedIn(folder: string, open: NonNullable<HostWindow['open']>): Promise<string | undefined> {
  if (open === 'nothing') return undefined;
  const folders = open === 'folder' ? ['workspace'] : ['one', 'two'];
  for (const each of folders) await mkdir(join(folder, each), { recursive: true });
  if (open === 'folder') return join(folder, 'workspace');
  const file = join(folder, 'both.code-workspace');
  await writeFile(file, JSON.stringify({ folders: folders.map((path) => ({ path })) }));
  return file;
}

async function bundleSuites(
  suites: readonly string[],
  outdir: string,
): Promise<{ readonly runner: string; readonly files: readonly string[] }> {
  const entries = [join(import.meta.dirname, 'hostRunner.ts'), ...suites.map((suite) => resolve(suite))].map(
    (entry, index) => ({ in: entry, out: `${String(index)}-${basename(entry, '.ts')}` }),
  );
  await build({
    entryPoints: entries,
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
    plugins: [shellText],
  });
  const [runner = '', ...files] = entries.map(({ out }) => join(outdir, `${out}.cjs`));
  return { runner, files };
}
