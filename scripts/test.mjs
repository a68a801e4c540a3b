// npm test [-- FOLDER|FILE… --grep TEXT --bail --serial]: builds, runs mocha, and ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: 'string', short: 'g' },
    bail: { type: 'boolean', default: false },
    serial: { type: 'boolean', default: false },
  },
});

const build = spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
if (build.status !== 0) finish(0, 1);

const files = [...new Set(positionals.length === 0 ? testsIn('test') : positionals.flatMap(testsOf))].sort();

// No test may read or write the home folder of whoever runs it; each makes its own, and this is the net below.
const home = resolve('.cache/test-home');
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });
Object.assign(process.env, {
  HOME: home,
  XDG_CACHE_HOME: `${home}/.cache`,
  XDG_CONFIG_HOME: `${home}/.config`,
  XDG_STATE_HOME: `${home}/.local/state`,
  GIT_CONFIG_NOSYSTEM: '1',
});
delete process.env.SSH_AUTH_SOCK;
delete process.env.SSH_ASKPASS;

const mocha = new Mocha({
  timeout: 60_000,
  parallel: !values.serial && files.length > 1,
  jobs: Math.max(2, Math.min(4, availableParallelism())),
  bail: values.bail,
  forbidOnly: process.env.CI !== undefined,
  // A machine that does much else at once makes real servers and browsers late: there a test has a second try, which is said.
  retries: process.env.CI === undefined ? 0 : 1,
  ...(values.grep === undefined ? {} : { grep: values.grep }),
});
for (const file of files) mocha.addFile(resolve(file));
if (!mocha.options.parallel) await mocha.loadFilesAsync();

const triedAgain = [];
const runner = mocha.run(() => {
  const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
  rmSync(home, { recursive: true, force: true });
  for (const title of triedAgain) console.log(`Tried again: ${title}`);
  if (pending > 0) console.log(`${pending} skipped`);
  if (passes + failures === 0) console.error('No test ran.');
  finish(passes, failures);
});

runner.on('retry', (test) => triedAgain.push(test.fullTitle()));

function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(passed > 0 && failed === 0 ? 0 : 1);
}

/** A file, a folder, or the name of a folder of test/. */
function testsOf(name) {
  for (const path of [name, `test/${name}`, `test/${name}.test.ts`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return testsIn(path);
    if (found?.isFile()) return [path];
  }
  console.error(`No test file or folder is called ${name}.`);
  return finish(0, 0);
}

function testsIn(folder) {
  return globSync(`${folder}/**/*.test.ts`);
}
