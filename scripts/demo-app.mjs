// npm run demo:app: a web application on a whole Debian of its own (systemd, sudo, Caddy), in a container that is gone afterwards. It is
// brought up, changed, broken and rolled back, while a visitor reads it without a pause. Needs Linux and root; the first time it fetches Debian.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRunFolder, removeRunFolder } from '../test/runner/runFolder.ts';
import { makeCliHome } from '../test/support/cli.ts';
import { canBootSystemd, connectSystemd, startVisitor } from '../test/support/systemd.ts';
import { bootMachine } from '../test/support/systemdBoot.ts';
import { webApp } from '../test/support/webApp.ts';

const cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url));

if (!canBootSystemd()) {
  console.error(
    'demo:app boots a Debian in a container: it needs Linux and root. Try: sudo npm run demo:app',
  );
  process.exit(1);
}
console.log(
  'Booting a Debian with systemd and Caddy (the first time it is fetched, which takes a minute or two) …',
);
const folder = makeRunFolder();
const [system, project] = ['system', 'project'].map((name) => join(folder, name));
for (const path of [system, project]) mkdirSync(path);
const booted = await bootMachine(system);
const machine = connectSystemd(booted.machine);
const home = await makeCliHome([machine.server]);
try {
  await tour();
} catch (error) {
  console.error(`\nThe demo went wrong: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await home.remove();
  await booted.end();
  removeRunFolder(folder);
}

async function tour() {
  const conf = `[production]
repository = .
branch = main
server = ${machine.server.entry}
project_dir = ~/shop
app = shop
domain_name = shop.test
env_file = .env.production
health_check = curl -fsS --unix-socket /run/shop/web.sock http://shop.test/
health_retries = 1
spare = no

[process web]
command = python3 app.py hello
socket = yes

[process worker]
command = sleep infinity
replicas = 2
`;
  git('init', '--quiet', '--initial-branch=main');
  write('durant.conf', conf);
  write('.gitignore', '.env.production\n');
  write('.env.production', 'GREETING="from the environment file"\n');
  write('app.py', webApp('1'));
  commit('A shop');

  say(
    'A web application, and this durant.conf',
    'one server; a web process that systemd hands its socket, two workers, Caddy in front',
  );
  console.log(conf.replace(/^/gm, '  ').trimEnd());
  say('durant deploy production', 'units and site are installed, checked, started');
  await durant(0, 'deploy', 'production');
  const visitor = startVisitor(() => machine.visit('shop.test'));

  say('durant app production info', 'how its processes are');
  await durant(0, 'app', 'production', 'info');

  write('app.py', webApp('2'));
  commit('Version 2');
  say('A change is committed, and deployed', 'a visitor is reading all the while');
  await durant(0, 'deploy', 'production');

  write(
    'app.py',
    webApp('3').replace(
      'send_response(200)',
      'send_response(500 if self.headers.get("User-Agent", "").startswith("curl") else 200)',
    ),
  );
  commit('Version 3, which is broken');
  say('A broken version is deployed', 'the health check sends it back');
  await durant(1, 'deploy', 'production');

  say('durant rollback production', 'version 1 again, with the services that it ran with');
  await durant(0, 'rollback', 'production');
  await machine.visit('shop.test');

  const { answers, failures, seen } = await visitor.end();
  say('What the visitor saw', `${answers} answers, ${failures.length} failures`);
  for (const body of seen) console.log(`  ${body}`);
  for (const failure of failures.slice(0, 5)) console.log(`  failed: ${failure}`);
  if (failures.length > 0) throw new Error('a visitor was turned away');
}

function durant(expected, ...args) {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: project,
      env: home.env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', failed);
    child.on('close', (status) => {
      if (status === expected) done();
      else failed(new Error(`durant ${args.join(' ')} ended with status ${status}`));
    });
  });
}

function write(name, text) {
  mkdirSync(join(project, name, '..'), { recursive: true });
  writeFileSync(join(project, name), text);
}

function commit(message) {
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
}

function git(...args) {
  const who = {
    GIT_AUTHOR_NAME: 'Demo',
    GIT_AUTHOR_EMAIL: 'demo@example.org',
    GIT_COMMITTER_NAME: 'Demo',
    GIT_COMMITTER_EMAIL: 'demo@example.org',
  };
  execFileSync('git', args, {
    cwd: project,
    env: { ...home.env, ...who },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function say(what, why) {
  const line = process.stdout.isTTY ? `\u001b[1m» ${what}\u001b[0m` : `» ${what}`;
  console.log(`\n${line}  (${why})`);
}
