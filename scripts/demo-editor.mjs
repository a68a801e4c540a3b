// npm run demo:editor [-- --browser]: the demo's project, with a first deploy behind it and a change to come, in VS Code with the
// extension: desktop VS Code where `code` is on the PATH, else VS Code in the browser, whose address is printed.
// No network but for VS Code itself (once), no root, no sshd; Ctrl+C ends everything and leaves nothing.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startEditorServer } from '../test/editor/rig/server.ts';
import { makeDemoProject } from './demo-project.mjs';
import { startEmbeddedServer } from './embedded-server.ts';
import { packagedExtension } from './packaged.mjs';

const guide = `A first release is live already, and a commit waits. Try, from the palette (F1) or the Durant view in the activity bar:
  Durant: Dry Run Stage       what the next deploy would change, to review
  Durant: Deploy Stage        makes it live; the output has every step
  right click on a release    Roll Back to This Release
Or open durant.conf, mistype a key, and let the light bulb put it right.`;
const checkout = resolve(import.meta.dirname, '..');
const code = process.argv.includes('--browser') ? undefined : desktopEditor();
const demo = mkdtempSync(join(tmpdir(), 'durant-demo-'));
const folders = { project: join(demo, 'shop'), home: join(demo, 'home'), root: join(demo, 'server') };
for (const folder of Object.values(folders)) mkdirSync(folder, { mode: 0o700 });

const stops = [() => rmSync(demo, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })];
let ending;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));

// Whatever is being started when somebody ends the demo is started first, so that it can be ended.
const started = start().catch((error) => {
  if (ending === undefined) {
    console.error(`The demo went wrong: ${error instanceof Error ? error.message : String(error)}`);
    return 'failed';
  }
});
if ((await started) === 'failed') await end(1);

async function start() {
  console.log('Packaging the extension …');
  run(process.execPath, ['esbuild.mjs']);
  const vsix = await packagedExtension();
  const server = await startEmbeddedServer({ root: folders.root });
  stops.push(() => server.stop());
  const { env, change, durant } = makeDemoProject(folders, server);
  await durant(['deploy', 'production'], 'ignore');
  change();
  if (code === undefined) await openBrowserEditor(vsix, env);
  else openDesktopEditor(vsix, env);
}

async function openBrowserEditor(vsix, env) {
  const editor = await startEditorServer({
    age: 'newest',
    dataDir: join(demo, 'vscode'),
    vsix: [vsix],
    env,
    settings: { 'workbench.startupEditor': 'none', 'security.workspace.trust.enabled': false },
  });
  stops.push(() => editor.stop());
  if (ending !== undefined) return;
  console.log(`
VS Code ${editor.version} with Durant: ${editor.url(folders.project)}

${guide}
Ctrl+C here ends the editor and the server, and removes both.`);
}

/** Extensions, settings and state of its own: nothing of the user's editor is read or written. */
function openDesktopEditor(vsix, env) {
  const own = ['--user-data-dir', join(demo, 'vscode'), '--extensions-dir', join(demo, 'extensions')];
  run(code, [...own, '--install-extension', vsix]);
  const desktop = ['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_RUNTIME_DIR', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS'];
  const screen = desktop.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  console.log(`
VS Code opens ${folders.project} with Durant.

${guide}
Ctrl+C here, or closing the window, ends the server and removes everything.`);
  const window = spawn(
    code,
    [...own, '--new-window', '--wait', '--disable-workspace-trust', '--skip-welcome', folders.project],
    {
      env: { ...env, ...Object.fromEntries(screen) },
      stdio: 'ignore',
      detached: process.platform !== 'win32',
    },
  );
  stops.push(() => endGroup(window));
  window.on('error', (error) => {
    console.error(`${code} could not be started: ${error.message}`);
    void end(1);
  });
  window.on('close', () => void end(0));
}

/** Once: in the reverse order of how it came. */
function end(status) {
  ending ??= (async () => {
    await started;
    for (const stop of stops.reverse()) await stop();
    process.exit(status);
  })();
  return ending;
}

function endGroup({ pid }) {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid);
  } catch {
    // Closed already.
  }
}

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, {
    cwd: checkout,
    encoding: 'utf8',
    shell: process.platform === 'win32' && command !== process.execPath,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}

/** `code`, where it is VS Code's own and can open a window. */
function desktopEditor() {
  const found = spawnSync('code', ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
  return found.status === 0 && /^\d+\.\d+\.\d+/.test(found.stdout) ? 'code' : undefined;
}
