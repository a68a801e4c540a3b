// npm run demo [-- FOLDER]: Durant's main job from end to end, on an SSH server of its own, in the ignored folder .demo/ (or FOLDER).
// No network, no root, no sshd, and nothing of the user's is read or written.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedServer } from './embedded-server.ts';

const demo = resolve(process.argv[2] ?? '.demo');
const [project, home, root] = ['project', 'home', 'server'].map((name) => join(demo, name));
const cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url));

rmSync(demo, { recursive: true, force: true });
for (const folder of [project, home, root]) mkdirSync(folder, { recursive: true, mode: 0o700 });

const server = await startEmbeddedServer({ root });
const env = userOfTheDemo();
try {
  makeProject();
  await tour();
} catch (error) {
  console.error(`\nThe demo went wrong: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await server.stop();
}

async function tour() {
  say('A project with a git history, and this durant.conf', 'one SSH server, one stage');
  console.log(indent(conf()));

  say('durant check', 'looks for mistakes in durant.conf; nothing is contacted');
  await durant('check');

  say('durant -n deploy production', 'a dry run: says what would happen, changes nothing');
  await durant('-n', 'deploy', 'production');

  say('durant deploy production', 'makes the commit live: one atomic switch of a link');
  await durant('deploy', 'production');

  write('index.html', '<h1>Shop</h1>\n<p>Now with a basket.</p>\n');
  rmSync(join(project, 'old.html'));
  commit('Add a basket, drop the old page');
  say('A change is committed, and deployed again', 'only what differs travels');
  await durant('deploy', 'production');

  say('durant releases production', 'what is on the server, the live one marked');
  await durant('releases', 'production');

  say('durant rollback production', 'the release before is live again');
  await durant('rollback', 'production');

  say('What is on the server now', relative('.', join(root, 'shop')));
  console.log(indent(tree(join(root, 'shop')).join('\n')));

  console.log(`
Everything above is in ${relative('.', demo)}/: the project, the "server", and durant.conf.
Next: write a durant.conf for a project of yours with: durant init (README.md tells the rest).
In the editor: npm run demo:editor will open this workspace in VS Code; it comes with the extension.`);
}

function makeProject() {
  git('init', '--quiet', '--initial-branch=main');
  write('index.html', '<h1>Shop</h1>\n');
  write('old.html', '<p>The old page.</p>\n');
  write('assets/style.css', 'h1 { color: teal }\n');
  write('bin/hello', '#!/bin/sh\necho "hello from $DURANT_RELEASE"\n');
  chmodSync(join(project, 'bin/hello'), 0o755);
  commit('A shop');
  write('durant.conf', conf());
  commit('Deploy with Durant');
}

function conf() {
  return `[DEFAULT]
repository = .
branch = main

[production]
server = ${server.entry}
project_dir = ${join(root, 'shop').replaceAll('%', '%%')}
after_symlink = ./bin/hello
# Copying ahead for the next deploy happens in the background; the demo leaves nothing running.
spare = no
`;
}

/** The environment of somebody who has nothing but this demo's key, known_hosts and ssh configuration. */
function userOfTheDemo() {
  const kept = ['LANG', 'LC_ALL', 'TERM', 'COLORTERM', 'NO_COLOR', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const own = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    ...Object.fromEntries(own),
    ...server.clientEnvironment,
    LOCALAPPDATA: join(home, 'AppData'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Demo',
    GIT_AUTHOR_EMAIL: 'demo@example.org',
    GIT_COMMITTER_NAME: 'Demo',
    GIT_COMMITTER_EMAIL: 'demo@example.org',
  };
}

/** Runs the CLI as a user would; asynchronously, because the server lives in this process. */
function durant(...args) {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: project,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', failed);
    child.on('close', (status) => {
      if (status === 0) done();
      else failed(new Error(`durant ${args.join(' ')} ended with status ${status}`));
    });
  });
}

function git(...args) {
  execFileSync('git', args, { cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function commit(message) {
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
}

function write(name, text) {
  mkdirSync(join(project, name, '..'), { recursive: true });
  writeFileSync(join(project, name), text);
}

function say(what, why) {
  const line = process.stdout.isTTY ? `\u001b[1m» ${what}\u001b[0m` : `» ${what}`;
  console.log(`\n${line}  (${why})`);
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '  ');
}

/** The lines of `tree`, two levels into each release. */
function tree(folder, depth = 0) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const line = `${'  '.repeat(depth)}${entry.name}`;
      if (entry.isSymbolicLink()) return [`${line} -> ${readlinkSync(path)}`];
      if (!entry.isDirectory()) return [line];
      return [`${line}/`, ...(depth < 3 ? tree(path, depth + 1) : [])];
    });
}
