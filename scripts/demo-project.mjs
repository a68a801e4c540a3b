// The small project that both demos deploy: a shop with a git history and a durant.conf for one server.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command line that is shown: this checkout's, run by the Node that runs this; or others, to be tried out. */
const {
  DURANT_CLI: cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url)),
  DURANT_NODE: node = process.execPath,
} = process.env;

/**
 * Makes the project and what belongs to its user.
 * @param {{ project: string, home: string, root: string }} folders of the project, of the user's files, of the server; they exist.
 * @param {import('./embedded-server.ts').EmbeddedServer} server
 */
export function makeDemoProject({ project, home, root }, server) {
  const env = userOfTheDemo(home, server);
  const git = (...args) =>
    execFileSync('git', args, { cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const write = (name, text) => {
    mkdirSync(join(project, name, '..'), { recursive: true });
    writeFileSync(join(project, name), text);
  };
  const commit = (message) => {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  };
  const conf = `[DEFAULT]
repository = .
branch = main

[production]
server = ${server.entry}
project_dir = ${join(root, 'shop').replaceAll('%', '%%')}
after_symlink = ./bin/hello
# Copying ahead for the next deploy happens in the background; the demo leaves nothing running.
spare = no
`;
  git('init', '--quiet', '--initial-branch=main');
  write('index.html', '<h1>Shop</h1>\n');
  write('old.html', '<p>The old page.</p>\n');
  write('assets/style.css', 'h1 { color: teal }\n');
  write('bin/hello', '#!/bin/sh\necho "hello from $DURANT_RELEASE"\n');
  chmodSync(join(project, 'bin/hello'), 0o755);
  commit('A shop');
  write('durant.conf', conf);
  commit('Deploy with Durant');
  return {
    env,
    conf,
    /** A second commit: one page changes, one goes. */
    change: () => {
      write('index.html', '<h1>Shop</h1>\n<p>Now with a basket.</p>\n');
      rmSync(join(project, 'old.html'));
      commit('Add a basket, drop the old page');
    },
    /** Runs the CLI as a user would; asynchronously, because the server lives in this process. */
    durant: (args, stdio = ['ignore', 'inherit', 'inherit']) =>
      new Promise((done, failed) => {
        const child = spawn(node, [cli, ...args], { cwd: project, env, stdio });
        child.on('error', failed);
        child.on('close', (status) => {
          if (status === 0) done();
          else failed(new Error(`durant ${args.join(' ')} ended with status ${status}`));
        });
      }),
  };
}

/** The environment of somebody who has nothing but this demo's key, known_hosts and ssh configuration. */
function userOfTheDemo(home, server) {
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
