import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Goal as ExportedGoal, GoalContext as ExportedContext } from '../../goal.d.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { resolvePipeline } from '../../src/config/values/pipelineGoals.ts';
import type { ValueIo } from '../../src/config/values/settings.ts';
import type { Goal } from '../../src/engine/pipeline/types/goal.ts';
import { attempt, type Attempts } from '../../src/engine/pipeline/types/attempts.ts';
import type { GoalContext } from '../../src/engine/pipeline/types/goalContext.ts';
import { GoalFailure } from '../../src/engine/pipeline/types/goalFailure.ts';
import { makeGoal } from '../../src/engine/pipeline/types/makeGoal.ts';
import { machineTime } from '../../src/engine/thisMachine.ts';
import { DurantError } from '../../src/errors.ts';
import { putAside, putBack } from '../../src/git/keptFiles.ts';
import { makeRepository } from '../support/repo.ts';

const signal = new AbortController().signal;

describe('the goals that the package exports types for', () => {
  it('are those that the engine works with', () => {
    // Checked by the compiler: each is taken where the other is wanted.
    const context = (of: GoalContext): ExportedContext => of;
    const goal = (of: Omit<Goal<GoalContext>, 'name'>): ExportedGoal => of;
    assert.ok(context !== undefined && goal !== undefined);
  });
});

describe('the goals of a pipeline', () => {
  const asked: string[] = [];
  const io: ValueIo = {
    env: { TOKEN: 'from-the-environment' },
    runShell: () => assert.fail(),
    secret: async (name) => {
      asked.push(name);
      return `secret-${name}`;
    },
    gpg: () => assert.fail(),
    signal,
  };
  const doc = parseConf(`[production]
[goal a]
type = shell
command = true
optional = yes
[goal b]
type = gem_pushed
name = shop
version = 1
authorization = env!TOKEN
[goal c]
type = file_exists
filename = x
contents = secret!word
[goal d]
type = file_exists
filename = secret!word
`);

  it('come in order, with their types, and what is secret in them', async () => {
    const { goals, secrets } = await resolvePipeline(doc, ['a', 'b?', 'deploy', 'c', 'd'], io);
    assert.deepEqual(
      goals.map((goal) =>
        goal.kind === 'deploy' ? 'deploy' : `${goal.name} ${goal.settings.type} ${String(goal.optional)}`,
      ),
      ['a shell true', 'b gem_pushed true', 'deploy', 'c file_exists false', 'd file_exists false'],
    );
    assert.deepEqual(
      secrets,
      ['from-the-environment', 'secret-word'],
      'tokens are secret wherever they come from',
    );
    assert.deepEqual(asked, ['word'], 'asked for once');
  });

  it('are refused where they have no section', async () => {
    await assert.rejects(resolvePipeline(doc, ['nobody'], io), { code: 'config-invalid' });
  });

  for (const items of [['deploy', 'deploy'], ['deploy?'], ['a', 'deploy', 'a?']])
    it(`are refused where a resolver gave ${items.join(', ')}`, () =>
      assert.rejects(resolvePipeline(doc, items, io), { code: 'config-invalid' }));
});

describe('tries', () => {
  const settings: Attempts = {
    retries: 2,
    delayMs: 1,
    sleep: machineTime.sleep,
    timeoutMs: undefined,
    network: false,
    signal,
    onRetry: () => undefined,
  };
  const failing = (mayPass: boolean) => {
    let tries = 0;
    return {
      work: async () => {
        tries++;
        throw new GoalFailure('no', { mayPass });
      },
      tries: () => tries,
    };
  };

  it('are made again for failures that may pass only', async () => {
    const passing = failing(true);
    await assert.rejects(attempt(passing.work, settings), { code: 'goal-failed' });
    assert.equal(passing.tries(), 3);
    const lasting = failing(false);
    await assert.rejects(attempt(lasting.work, settings), { code: 'goal-failed' });
    assert.equal(lasting.tries(), 1);
  });

  it('end by their timeout, which over a network may pass', async () => {
    let tries = 0;
    const slow = (stop: AbortSignal) => {
      tries++;
      return new Promise<never>((_, reject) => {
        stop.addEventListener('abort', () => reject(new DurantError('cancelled', 'Cancelled.')));
      });
    };
    await assert.rejects(attempt(slow, { ...settings, timeoutMs: 5, network: true }), /longer than/);
    assert.equal(tries, 3);
    await assert.rejects(attempt(slow, { ...settings, timeoutMs: 5 }), /longer than/);
    assert.equal(tries, 4);
  });

  it('end when the run is cancelled, also while they wait', async () => {
    const cancel = new AbortController();
    const waiting = attempt(failing(true).work, {
      ...settings,
      delayMs: 60_000,
      signal: cancel.signal,
      onRetry: () => setImmediate(() => cancel.abort()),
    });
    await assert.rejects(
      waiting,
      (error: Error) => error.name === 'AbortError' || /Cancelled/.test(error.message),
    );
  });
});

describe('a module of an untrusted project', () => {
  it('is never loaded', async () => {
    const project = mkdtempSync(join(tmpdir(), 'durant-module-'));
    const mark = join(project, 'loaded');
    writeFileSync(
      join(project, 'goal.mjs'),
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, ''); export const achieved = () => true, achieve = () => {};`,
    );
    try {
      const settings = {
        type: './goal.mjs',
        optional: false,
        retries: 0,
        retry_delay: 1,
        timeout: undefined,
        working_dir: undefined,
      };
      await assert.rejects(
        makeGoal('g', settings, { project, trusted: false }),
        /where the project is trusted/,
      );
      assert.equal(existsSync(mark), false);
      assert.equal((await makeGoal('g', settings, { project, trusted: true })).name, 'g');
      assert.equal(existsSync(mark), true);
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});

describe('what goals leave in the clone', () => {
  it('is put aside and back: files in any folder, and tags, but nothing that stands in their place', async () => {
    const repository = makeRepository([{ message: 'First', files: { 'a/tracked': '1', 'b/c': '2' } }]);
    const { directory, git } = repository;
    const path = (name: string) => join(directory, name);
    const commit = git('rev-parse', 'HEAD');
    git('checkout', '-q', '--detach');
    const context = {
      binary: execFileSync('which', ['git'], { encoding: 'utf8' }).trim(),
      env: Object.fromEntries(
        Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
      config: [],
      signal,
    };
    try {
      mkdirSync(path('own/deep'), { recursive: true });
      for (const name of ['own/deep/f', 'a/new', 'né w', 'top']) writeFileSync(path(name), name);
      git('tag', 'made-here');
      await putAside(directory, commit, context);
      for (const name of ['own', 'a/new', 'né w', 'top']) assert.equal(existsSync(path(name)), false, name);
      assert.equal(git('status', '--porcelain'), '');
      assert.equal(git('tag'), '');
      writeFileSync(path('top'), 'built');
      await putBack(directory, commit);
      for (const name of ['own/deep/f', 'a/new', 'né w'])
        assert.equal(readFileSync(path(name), 'utf8'), name);
      assert.equal(readFileSync(path('top'), 'utf8'), 'built');
      assert.equal(git('tag'), 'made-here');
      // Of another commit nothing is kept.
      await putAside(directory, commit, context);
      await putBack(directory, '0'.repeat(40));
      assert.equal(existsSync(path('own')), false);
      assert.equal(existsSync(path('.git/durant-kept')), false);
    } finally {
      repository.remove();
    }
  });
});
