#!/usr/bin/env node
// Stands in for the desktop's `code` in `runTests({ vscodeExecutablePath })`: takes its arguments, opens the same tests in VS Code's
// web workbench in Chromium, and ends with the suite's exit status.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser } from './browser.ts';
import { startEditorServer } from './server.ts';

const { values, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    extensionTestsPath: { type: 'string' },
    extensionDevelopmentPath: { type: 'string' },
    'user-data-dir': { type: 'string' },
    'extensions-dir': { type: 'string' },
    /** Ours: `oldest` or `newest`. */
    'durant-vscode': { type: 'string' },
    /** Ours: a package to install, and to test instead of the folder in extensionDevelopmentPath. */
    'durant-vsix': { type: 'string' },
    /** Ours: folders have to be trusted, which runTests switches off otherwise. */
    'durant-trust': { type: 'boolean' },
    /** Ours: the language that extensions are told. VS Code's own texts stay as they are. */
    'durant-language': { type: 'string' },
  },
});
const { extensionTestsPath, extensionDevelopmentPath, 'user-data-dir': dataDir } = values;
if (extensionTestsPath === undefined || extensionDevelopmentPath === undefined || dataDir === undefined) {
  console.error(
    'Usage: launcher --extensionTestsPath=… --extensionDevelopmentPath=… --user-data-dir=… WORKSPACE',
  );
  process.exit(2);
}

const server = await startEditorServer({
  age: values['durant-vscode'] === 'oldest' ? 'oldest' : 'newest',
  dataDir,
  automation: true,
  vsix: values['durant-vsix'] === undefined ? [] : [values['durant-vsix']],
  trust: values['durant-trust'] === true,
});
const browser = await openBrowser();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(130));

const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
const timer = setTimeout(() => {
  console.error(`The tests did not end.\n${server.log().slice(-4000)}`);
  void end(1);
}, 9 * 60_000);
await page.exposeFunction('codeAutomationLog', (level, args) => {
  // The workbench's own noise about missing native modules and telemetry is no test output.
  const text = args.map(String).join(' ');
  if (level === 'log' && !text.startsWith('%c')) console.log(text);
});
const language = values['durant-language'];
if (language !== undefined)
  await page.addInitScript((name) => {
    globalThis._VSCODE_NLS_LANGUAGE = name;
  }, language);
await page.exposeFunction('codeAutomationExit', (code) => void end(code));
const installed = join(dataDir, 'extensions');
const developed =
  values['durant-vsix'] === undefined
    ? extensionDevelopmentPath
    : join(installed, readdirSync(installed).find((name) => name.startsWith('durant.durant-')) ?? '');
const remote = (path) => `vscode-remote://127.0.0.1:${server.port}${resolve(path)}`;
await page.goto(
  server.url(positionals[0] === undefined ? undefined : resolve(positionals[0]), [
    ['extensionDevelopmentPath', remote(developed)],
    ['extensionTestsPath', remote(extensionTestsPath)],
  ]),
);

async function end(code) {
  clearTimeout(timer);
  await browser.close();
  await server.stop();
  process.exit(code);
}
