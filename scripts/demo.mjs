// npm run demo [-- FOLDER]: Durant's main job from end to end, on an SSH server of its own, in the ignored folder .demo/ (or FOLDER).
// No network, no root, no sshd, and nothing of the user's is read or written.
import { mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { makeDemoProject } from './demo-project.mjs';
import { startEmbeddedServer } from './embedded-server.ts';

const demo = resolve(process.argv[2] ?? '.demo');
const [project, home, root] = ['project', 'home', 'server'].map((name) => join(demo, name));

rmSync(demo, { recursive: true, force: true });
for (const folder of [project, home, root]) mkdirSync(folder, { recursive: true, mode: 0o700 });

const server = await startEmbeddedServer({ root });
try {
  const { conf, change, durant } = makeDemoProject({ project, home, root }, server);
  await tour(conf, change, (...args) => durant(args));
} catch (error) {
  console.error(`\nThe demo went wrong: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await server.stop();
}

async function tour(conf, change, durant) {
  say('A project with a git history, and this durant.conf', 'one SSH server, one stage');
  console.log(indent(conf));

  say('durant check', 'looks for mistakes in durant.conf; nothing is contacted');
  await durant('check');

  say('durant -n deploy production', 'a dry run: says what would happen, changes nothing');
  await durant('-n', 'deploy', 'production');

  say('durant deploy production', 'makes the commit live: one atomic switch of a link');
  await durant('deploy', 'production');

  change();
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
In the editor: npm run demo:editor opens such a workspace in VS Code, with the extension.`);
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
