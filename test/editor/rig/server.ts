/** VS Code's own server, whose web workbench a browser opens: a real VS Code on a machine without a desktop. */
import { spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { provideVsCode } from '../../../scripts/vscode.mjs';
import { endProcesses, processesWithEnvironment, type FoundProcess } from '../../support/processes.ts';
import { waitFor } from '../../support/wait.ts';

export type Age = 'oldest' | 'newest';

export interface EditorServerOptions {
  readonly age: Age;
  /** Where it keeps its data, user settings and installed extensions; the caller removes it. */
  readonly dataDir: string;
  /** Packaged extensions to install before it starts. */
  readonly vsix?: readonly string[];
  /** The environment of the extension host. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** `few`: without most of VS Code's own extensions, and what else costs time in a window and is not tested. Default: all of VS Code. */
  readonly extent?: 'all' | 'few';
  /** Takes tests to run in the extension host from the address; then it shows no notifications. Default false. */
  readonly automation?: boolean;
}

export interface EditorServer {
  readonly port: number;
  readonly version: string;
  /** Address that opens a folder or a .code-workspace file. */
  readonly url: (workspace: string | undefined, payload?: readonly (readonly [string, string])[]) => string;
  /** Replaces the user's settings, for windows that are opened from now on. */
  readonly configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
  /** What it wrote so far. */
  readonly log: () => string;
  /** Ends it with all that it started. Rejects where something of it would not end by itself. */
  readonly stop: () => Promise<void>;
}

export async function startEditorServer(options: EditorServerOptions): Promise<EditorServer> {
  const { version, main, node } = await provideVsCode(options.age);
  const configure = (settings: Readonly<Record<string, unknown>>): Promise<void> =>
    writeSettings(options.dataDir, options.extent === 'few' ? { ...quiet, ...settings } : settings);
  await configure(options.settings ?? {});
  // Sockets and other files that nothing removes after an end of this kind go with the folder.
  const temporary = join(options.dataDir, 'tmp');
  const builtin = join(options.dataDir, 'builtin');
  await mkdir(temporary);
  // Node would keep compiled code in the folder for temporary files for ever.
  const env = {
    ...process.env,
    NODE_DISABLE_COMPILE_CACHE: '1',
    ...options.env,
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
  };
  const few = options.extent === 'few';
  if (few) await linkExtensions(main, builtin);
  const data = ['--accept-server-license-terms', '--disable-telemetry', '--server-data-dir', options.dataDir];
  for (const vsix of options.vsix ?? []) {
    const { status, output } = await ended(
      spawn(node, [main, ...data, '--install-extension', vsix], { env }),
    );
    if (status !== 0) throw new Error(`VS Code did not install ${vsix}:\n${output}`);
  }
  const child = spawn(
    node,
    [
      main,
      ...data,
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--without-connection-token',
      ...(few ? ['--builtin-extensions-dir', builtin] : []),
      ...(options.automation === true ? ['--enable-smoke-test-driver'] : []),
    ],
    // A group of its own: extension hosts, terminals and watchers end with it.
    { env, detached: true },
  );
  let log = '';
  const port = await new Promise<number>((listening, failed) => {
    const read = (chunk: Buffer): void => {
      log = `${log}${chunk.toString('utf8')}`.slice(-200_000);
      const found = /Extension host agent listening on (\d+)/.exec(log)?.[1];
      if (found !== undefined) listening(Number(found));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', failed);
    child.on('exit', (status) => {
      failed(new Error(`VS Code's server ended with ${String(status)}:\n${log}`));
    });
  });
  const closed = new Promise<void>((done) =>
    child.on('close', () => {
      done();
    }),
  );
  return {
    port,
    version,
    url: (workspace, payload = []) => {
      const query = new URLSearchParams();
      if (workspace !== undefined)
        query.set(workspace.endsWith('.code-workspace') ? 'workspace' : 'folder', workspace);
      else query.set('ew', 'true');
      query.set('payload', JSON.stringify([['skipWelcome', 'true'], ...payload]));
      return `http://127.0.0.1:${String(port)}/?${query.toString()}`;
    },
    configure,
    log: () => log,
    stop: async () => {
      endGroup(child.pid);
      await closed;
      await allEnded(temporary);
    },
  };
}

/** Others start servers for languages, look at repositories and scan for tasks in each window, which no test is about. */
const noticed = ['theme-defaults', 'theme-seti', 'ini', 'git', 'git-base'];

async function linkExtensions(main: string, folder: string): Promise<void> {
  const all = join(dirname(dirname(main)), 'extensions');
  await mkdir(folder);
  for (const name of noticed) await symlink(join(all, name), join(folder, name));
}

/** What is not tested and would only take time. */
const quiet = {
  'chat.disableAIFeatures': true,
  'editor.cursorBlinking': 'solid',
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'workbench.reduceMotion': 'on',
  'workbench.startupEditor': 'none',
};

async function writeSettings(dataDir: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  // What is of the machine counts only in the second place.
  for (const place of ['User', 'Machine']) {
    await mkdir(join(dataDir, 'data', place), { recursive: true });
    await writeFile(join(dataDir, 'data', place, 'settings.json'), JSON.stringify(settings, undefined, 2));
  }
}

/** What has left the server's group, as the engine and shells of terminals do, ends by itself once the server is gone. */
async function allEnded(temporary: string): Promise<void> {
  const left = (): Promise<readonly FoundProcess[]> => processesWithEnvironment('TMPDIR', temporary);
  try {
    await waitFor('what the editor started to end', async () => (await left()).length === 0);
  } catch (error) {
    const found = await left();
    endProcesses(found);
    throw new Error(`${String(error)}\n${found.map(({ command }) => command).join('\n')}`);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function ended(
  child: ReturnType<typeof spawn>,
): Promise<{ readonly status: number | null; readonly output: string }> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const status = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  return { status, output };
}
