/** Every command line of the README and of docs/ is run as it stands there, by a shell, against a real server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote } from '../../src/remote/shell.ts';
import { makeWorld, type World } from '../e2e/world.ts';
import { cliBundle } from '../support/cli.ts';
import { examplesOf } from '../support/examples.ts';

const root = new URL('../../', import.meta.url);
const read = (page: string): string => readFileSync(new URL(page, root), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('docs', root)).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

/** What cannot end well here, its exit status, and what it says. */
const REFUSED: readonly (readonly [line: RegExp, status: number, says: RegExp])[] = [
  [/^durant setup .*--run/, 2, /--yes/],
  [/^durant down (?!.*--yes)/, 2, /--yes/],
  [/^durant maintenance /, 2, /Set domain_name/],
];

describe('the command lines of the documentation', function () {
  this.timeout(240_000);
  let world: World;
  let bin: string;
  before(async () => {
    const manage = { content: '#!/bin/sh\necho cleared\n', executable: true };
    world = await makeWorld({ commits: [{ message: 'First', files: { 'manage.py': manage } }] });
    const common = `[DEFAULT]\nrepository = ${world.repository.directory}\nserver = ${world.servers[0]?.entry ?? ''}\nspare = no\n`;
    const stages = ['production', 'staging', 'review-42'].map(
      (name) => `[${name}]\nproject_dir = ~/${name}\n`,
    );
    writeFileSync(join(world.project, 'durant.conf'), common + stages.join(''));
    bin = mkdtempSync(join(tmpdir(), 'durant-bin-'));
    const program = [process.execPath, cliBundle()].map(quote).join(' ');
    writeFileSync(join(bin, 'durant'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    mkdirSync(join(bin, 'empty'));
    for (const stage of ['staging', 'review-42'])
      assert.equal((await world.run(['deploy', stage])).status, 0, stage);
  });
  after(async () => {
    await world?.remove();
    if (bin !== undefined) rmSync(bin, { recursive: true, force: true });
  });

  const shell = (line: string) =>
    new Promise<{ readonly status: number; readonly output: string }>((resolve) => {
      // Where there is no durant.conf yet.
      const cwd = line.startsWith('durant init') ? join(bin, 'empty') : world.project;
      const env = { ...world.home.env, PATH: `${bin}:${world.home.env['PATH'] ?? ''}` };
      const child = execFile('/bin/sh', ['-c', line], { cwd, env }, (_, stdout, stderr) => {
        resolve({ status: child.exitCode ?? -1, output: stdout + stderr });
      });
      child.stdin?.end();
    });

  for (const page of pages) {
    const lines = examplesOf(read(page), 'sh').flatMap((example) => example.split('\n'));
    const ours = lines.filter((line) => line.startsWith('durant '));
    if (ours.length > 0)
      it(`${page}: ${ours.length} of durant`, async () => {
        world.repository.commit({ message: `For ${page}`, files: { page } });
        for (const line of ours) {
          const [, wanted = 0, says = /(?:)/] = REFUSED.find(([which]) => which.test(line)) ?? [];
          const { status, output } = await shell(line);
          assert.equal(status, wanted, `${line}\n${output}`);
          assert.match(output, says, line);
        }
      });
    const scripts = lines.flatMap(
      (line) => /\bnpm (?:run )?(?!ci\b|install\b)([\w:]+)/.exec(line)?.[1] ?? [],
    );
    if (scripts.length > 0)
      it(`${page}: ${scripts.length} of npm are scripts of package.json`, () => {
        const known = Object.keys(JSON.parse(read('package.json')).scripts);
        assert.deepEqual(
          scripts.filter((name) => !known.includes(name)),
          [],
        );
      });
    const json = examplesOf(read(page), 'json');
    if (json.length > 0)
      it(`${page}: ${json.length} of JSON`, () => {
        for (const example of json) assert.doesNotThrow(() => JSON.parse(example), example);
      });
  }
});
