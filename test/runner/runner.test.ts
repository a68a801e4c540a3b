/** The runner: what would pass for nothing, what is left behind, and the order of files. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { allProcesses } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { findTests, inOrder, longest } from './plan.ts';
import { schedule } from './schedule.ts';

describe('npm test', function () {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tests-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, lines: readonly string[]): string => {
    const file = join(folder, name);
    writeFileSync(file, lines.join('\n'));
    return file;
  };
  const start = (args: readonly string[]): ChildProcess & { readonly stdout: NodeJS.ReadableStream } =>
    spawn(process.execPath, ['test/runner/main.ts', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const run = async (...args: string[]): Promise<{ readonly status: number; readonly output: string }> => {
    const child = start(args);
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { status, output };
  };
  const passes = `it('passes', () => undefined);`;
  const sleeps = `import { spawn } from 'node:child_process'; const seconds = '${process.pid}7';`;

  for (const [title, lines, failure] of [
    ['has no tests', [''], /it has no tests/],
    [
      'ends early',
      [passes, `it('ends', () => process.exit(0)); it('never', () => undefined);`],
      /its process ended before its tests did \(status 0\)/,
    ],
    [
      'is killed',
      [passes, `it('ends', () => process.kill(process.pid, 'SIGKILL'));`],
      /before its tests did \(SIGKILL\)/,
    ],
    ['cannot be loaded', [`import './nothing.ts';`, passes], /before its tests did \(status 1\)/],
    ['fails after its tests', [passes, `process.on('exit', () => { process.exitCode = 3; });`], /status 3/],
    [
      'leaves a process',
      [sleeps, `it('leaves', () => spawn('sleep', [seconds], { detached: true, stdio: 'ignore' }).unref());`],
      /left behind: process \d+: sleep/,
    ],
    [
      'leaves a file',
      [
        `import { writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os';`,
        `it('leaves', () => writeFileSync(tmpdir() + '/forgotten', ''));`,
      ],
      /left behind: .*\/forgotten/,
    ],
  ] as const)
    it(`fails where a file ${title}, and names it`, async () => {
      const { status, output } = await run(write('good.ts', [passes]), write('bad.ts', lines));
      assert.equal(status, 1, output);
      const [, failures = ''] = output.split('\nFailed:\n');
      assert.match(failures, /^ {2}\S*bad\.ts: /);
      assert.match(failures.split('\n')[0] ?? '', failure);
      assert.match(output, /\n\d passed, 1 failed\n$/);
      assert.ok(!(await allProcesses()).some(({ command }) => command === `sleep ${process.pid}7`));
      assert.deepEqual(readdirSync(tmpdir()), [folder.slice(tmpdir().length + 1)]);
    });

  it('shows the output of each file in one piece, and counts skipped tests', async () => {
    const talks = (name: string): string =>
      write(name, [
        `for (const n of [1, 2, 3]) it('${name} ' + n, () => undefined);`,
        `it.skip('not', () => 0);`,
      ]);
    const { status, output } = await run(talks('one.ts'), talks('two.ts'));
    assert.equal(status, 0, output);
    // Where CI is set mocha writes colours also into a pipe.
    const order = [...stripVTControlCharacters(output).matchAll(/✔ (one|two)\.ts/g)]
      .map(([, name]) => name)
      .join(' ');
    assert.match(order, /^(one one one two two two|two two two one one one)$/);
    assert.match(output, /\n2 skipped\n6 passed, 0 failed\n$/);
    assert.match(output, /The slowest files[^\n]*:\n( +[\d.]+ s +[\d.]+ s {2}\S*(one|two)\.ts\n){2}/);
  });

  it('runs a file again and again, and says in which round it failed', async () => {
    const file = write('sometimes.ts', [
      `import { appendFileSync, statSync } from 'node:fs';`,
      `const count = new URL('count', import.meta.url);`,
      `it('fails the third time', () => { appendFileSync(count, 'x'); if (statSync(count).size === 3) throw new Error('third'); });`,
    ]);
    const { status, output } = await run('--serial', '--repeat', '4', file);
    assert.equal(status, 1, output);
    assert.match(output, /\n {2}\S*sometimes\.ts, round 3: fails the third time\n/);
    assert.match(output, /\n3 passed, 1 failed\n$/);
  });

  it('says where no test has such a name', async () => {
    const { status, output } = await run('engine/nothing');
    assert.equal(status, 1);
    assert.match(output, /^No test file or folder is called engine\/nothing\. .*\n0 passed, 1 failed\n$/);
  });

  it('starts no more files after a failure with --bail', async () => {
    const files = ['a.ts', 'b.ts'].map((name) =>
      write(name, [`it('fails', () => { throw new Error('no'); });`]),
    );
    const { output } = await run('--bail', '--serial', ...files);
    assert.match(output, /\n0 passed, 1 failed\n$/);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`ends what its files started when it gets ${signal}`, async () => {
      const file = write('long.ts', [
        sleeps,
        `it('waits', (done) => { spawn('sleep', [seconds]).on('exit', done); });`,
      ]);
      const runner = start([file]);
      const sleeping = async () =>
        (await allProcesses()).some(({ command }) => command === `sleep ${process.pid}7`);
      await waitFor('the test to begin', sleeping);
      runner.kill(signal);
      await once(runner, 'exit');
      await waitFor('the process to end', async () => !(await sleeping()));
      // What a runner that was killed has left is removed by the next.
      await run(write('good.ts', [passes]));
      assert.deepEqual(readdirSync(tmpdir()), [folder.slice(tmpdir().length + 1)]);
    });
});

describe('the order of test files', () => {
  it('knows what a file needs from what it imports', () => {
    const needs = (name: string) => findTests([name]).map((file) => [...file.needs].sort());
    assert.deepEqual(needs('config/grammar'), [[]]);
    assert.deepEqual(needs('e2e/services'), [['systemd']]);
    assert.deepEqual(needs('editor/firstDay'), [['vscode']]);
    assert.deepEqual(needs('editor/services'), [['systemd', 'vscode']]);
  });

  it('is that of what others wait for, then of the time that was taken', () => {
    const file = (path: string, ...needs: ('vscode' | 'systemd')[]) => ({
      path,
      needs: new Set(needs),
      waits: false,
    });
    const files = [file('short'), file('long'), file('editor', 'vscode')];
    const known = new Map([
      ['short', 1],
      ['long', 2],
      ['editor', 1],
    ]);
    assert.deepEqual(
      inOrder(files, known).map(({ path }) => path),
      ['editor', 'long', 'short'],
    );
  });

  it('begins with the longest where no time is known', () => {
    const files = findTests(['engine']);
    assert.deepEqual(inOrder(files, new Map())[0]?.path, 'test/engine/layout.test.ts');
    assert.deepEqual(
      longest.filter((path) => !existsSync(path)),
      [],
    );
  });

  it('lets run at once as many as may besides one that waits, and one of those with the same need', async () => {
    const things = ['a', 'a', '', 'waits', 'waits', '', ''].map((need) => ({
      needs: new Set(need === '' ? [] : [need]),
      waits: need === 'waits',
    }));
    const running: string[] = [];
    let most = 0;
    const seen: string[] = [];
    await schedule(
      things,
      3,
      async (_thing, index) => {
        running.push(String(index));
        most = Math.max(most, running.length);
        seen.push([...running].sort().join(''));
        await new Promise(setImmediate);
        running.splice(running.indexOf(String(index)), 1);
      },
      () => false,
    );
    assert.equal(most, 4);
    assert.ok(!seen.some((each) => each.includes('0') && each.includes('1')), seen.join(' '));
    assert.ok(!seen.some((each) => each.includes('3') && each.includes('4')), seen.join(' '));
    assert.ok(
      seen.every((each) => each.replace(/[34]/, '').length <= 3),
      seen.join(' '),
    );
  });

  it('lets as many with the same need run at once as there are', async () => {
    const things = ['a', 'a', 'a', 'b', 'b'].map((need) => ({ needs: new Set([need]), waits: true }));
    const most: Record<string, number> = {};
    const running: string[] = [];
    await schedule(
      things,
      1,
      async ({ needs }) => {
        const [need = ''] = needs;
        running.push(need);
        most[need] = Math.max(most[need] ?? 0, running.filter((each) => each === need).length);
        await new Promise(setImmediate);
        running.splice(running.indexOf(need), 1);
      },
      () => false,
      { a: 2 },
    );
    assert.deepEqual(most, { a: 2, b: 1 });
  });
});
