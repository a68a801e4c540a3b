/** The scripts of the lock, run by the shell itself: killed at each command, taken over in a chain, and many at once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { factsQuery, type FactsRequest } from '../../src/engine/server/serverFacts.ts';
import {
  breakLockScript,
  lockInput,
  lockScript,
  seenLock,
  takeOverScript,
  unlockScript,
} from '../../src/engine/server/lockScripts.ts';

const COMMANDS = ['cat', 'ln', 'mv', 'rm', 'mkdir', 'ls', 'cksum', 'grep', 'sed', 'awk', 'sleep'];

for (const shell of ['sh', 'busybox'] as const)
  describe(`taking a lock over (${shell})`, function () {
    let folder: string;
    let project: string;
    let bin: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'durant-lock-'));
      bin = join(folder, 'bin');
      mkdirSync(bin);
      if (shell === 'busybox') symlinkSync('/bin/busybox', join(bin, 'sh'));
      // Each counts itself, and ends the whole script before or after the one that it is told to.
      for (const command of COMMANDS)
        writeFileSync(
          join(bin, command),
          `#!/bin/sh
n=0; read -r n < "$COUNT"; n=$((n + 1)); echo $n > "$COUNT"
[ "$AT" != "$n before" ] || kill -KILL 0
${shell === 'busybox' ? '/bin/busybox ' : `PATH=/usr/bin:/bin `}${command} "$@"; s=$?
[ "$AT" != "$n after" ] || kill -KILL 0
exit $s
`,
          { mode: 0o755 },
        );
    });
    after(() => rmSync(folder, { recursive: true, force: true }));
    beforeEach(() => {
      project = mkdtempSync(join(folder, 'project-'));
    });

    /** Runs a script in a process group of its own; `at`: `3 before` kills it ahead of its third command. */
    async function sh(
      script: string,
      input: Buffer = Buffer.alloc(0),
      at = '',
    ): Promise<{ stdout: string; killed: boolean }> {
      const count = join(project, `count-${String(Math.random())}`);
      writeFileSync(count, '0\n');
      const child = spawn('sh', ['-c', script], {
        detached: true,
        env: { PATH: `${bin}:/usr/bin:/bin`, COUNT: count, AT: at, HOME: folder },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      let stdout = '';
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      const killed = await new Promise<boolean>((resolve) =>
        child.once('close', (_, signal) => resolve(signal !== null)),
      );
      rmSync(count);
      return { stdout, killed };
    }

    const request = (): FactsRequest => ({
      projectDir: project,
      currentPath: 'current',
      shared: [],
      strategy: 'releases',
    });
    const look = async () => {
      const { script, parse } = factsQuery(request());
      return parse(Buffer.from((await sh(script)).stdout));
    };
    const lock = (run: string) =>
      lockInput({ run, stage: 's', user: 'u', host: 'h', started: '', action: 'deploy', message: '' });
    const here = () =>
      readdirSync(join(project, '.durant'))
        .filter((name) => /^(lock|processes)/.test(name))
        .toSorted();
    const holder = () => /^run = "(.*)"$/m.exec(readFileSync(join(project, '.durant/lock'), 'utf8'))?.[1];

    /** As a run does: takes the lock over, or takes it where there is none. */
    async function take(run: string, at?: string): Promise<{ stdout: string; killed: boolean }> {
      const seen = seenLock(await look());
      const script =
        seen === undefined
          ? lockScript(project, run, 'releases')
          : takeOverScript(project, run, seen, 'releases');
      return sh(script, lock(run), at);
    }

    async function assertTakenBy(run: string, why: string): Promise<void> {
      const { stdout } = await take(run);
      assert.equal(stdout, 'taken\n', why);
      assert.equal(holder(), run, why);
      assert.deepEqual(
        here().filter((name) => name !== `processes.${run}`),
        ['lock'],
        why,
      );
      await sh(`cd ${project}\n${unlockScript(run)}`);
      assert.deepEqual(here(), [], why);
    }

    // busybox runs its own tools whatever the PATH says, so they cannot be counted there.
    for (const moment of shell === 'busybox' ? [] : (['before', 'after'] as const))
      it(`killed ${moment} each command, once and twice: the next run takes it over, and nothing stays`, async () => {
        let commands = 0;
        for (let n = 1; ; n++) {
          await take('dead-0');
          const { killed } = await take('dead-1', `${String(n)} ${moment}`);
          if (!killed) break;
          await take('dead-2', `${String(n)} ${moment}`);
          await assertTakenBy('run-3', `command ${String(n)}`);
          commands = n;
        }
        assert.ok(commands >= 8, `only ${String(commands)} commands were counted`);
      });

    it('ten at once: one gets it, and the others see a lock that is held', async () => {
      for (let round = 0; round < 5; round++) {
        await take('dead-0');
        const seen = seenLock(await look());
        assert.ok(seen !== undefined);
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            sh(takeOverScript(project, `run-${String(n)}`, seen, 'releases'), lock(`run-${String(n)}`)),
          ),
        );
        assert.deepEqual(answers.map(({ stdout }) => stdout).toSorted(), [
          ...Array.from({ length: 9 }, () => 'held\n'),
          'taken\n',
        ]);
        const winner = `run-${String(answers.findIndex(({ stdout }) => stdout === 'taken\n'))}`;
        assert.equal(holder(), winner);
        assert.deepEqual(
          here().filter((name) => name !== `processes.${winner}`),
          ['lock'],
        );
        await sh(`cd ${project}\n${unlockScript(winner)}`);
      }
    });

    for (const [name, text] of [
      ['a run without quotes', 'run = x\n'],
      ['nothing', ''],
      ['what is no lock', 'garbage\n\u0000\u00ff'],
      ['a run with a quote in its name', `run = "it's; rm -rf /"\n`],
    ] as const)
      it(`a lock with ${name} is removed by force, also where that died before`, async () => {
        await sh(lockScript(project, 'run-0', 'releases'), lock('run-0'));
        const unlock = async (run: string, at?: string) => {
          const seen = seenLock(await look());
          assert.ok(seen !== undefined);
          return sh(breakLockScript(project, run, seen, 'releases', ':'), lock(run), at);
        };
        for (const at of ['', '9 before', '10 after']) {
          writeFileSync(join(project, '.durant/lock'), text);
          if (at !== '') await unlock('unlock-1', at);
          if (existsSync(join(project, '.durant/lock')))
            assert.match((await unlock('unlock-2')).stdout, /^unlocked$/m);
          assert.deepEqual(here(), [], at);
        }
      });

    it('another lock than the one that was seen is left', async () => {
      await take('dead-0');
      const seen = seenLock(await look());
      assert.ok(seen !== undefined);
      await sh(`cd ${project}\n${unlockScript('dead-0')}`);
      await take('alive');
      const taken = await sh(takeOverScript(project, 'run-1', seen, 'releases'), lock('run-1'));
      assert.equal(taken.stdout, 'held\n');
      const broken = await sh(breakLockScript(project, 'run-2', seen, 'releases', ':'), lock('run-2'));
      assert.match(broken.stdout, /^held$/m);
      assert.equal(holder(), 'alive');
      assert.deepEqual(here(), ['lock']);
    });
  });
