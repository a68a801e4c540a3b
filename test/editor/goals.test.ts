/** The goals of a run, from its events to the tree, without an editor. */
import assert from 'node:assert/strict';
import type { Translate } from '../../src/format.ts';
import { settleGoals, startGoals, type GoalState } from '../../src/report/goals.ts';
import { endingOf } from '../../src/editor/ending.ts';
import { advance, currentStep, newProgress, type RunProgress } from '../../src/report/progress.ts';
import { NEWLY_ACHIEVED, PASSED } from '../../src/engine/pipeline/goalReasons.ts';
import type { RunEvent, RunFinished, StepState } from '../../src/engine/index.ts';
import { goalItem } from '../../src/views/goalItem.ts';
import { childrenOf, itemOf, parentOf } from '../../src/views/nodes.ts';
import { createStore } from '../../src/views/store.ts';

const t: Translate = (text, ...args) =>
  text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));
const pipeline = ['tested', 'deploy', 'tagged', 'announced'];
const stage = { file: '/shop/durant.conf', stage: 'production' };

const started: RunEvent = {
  event: 'run-started',
  action: 'deploy',
  run: 'r',
  stage: 'production',
  dry_run: false,
  servers: ['web1'],
};
const step = (
  name: string,
  state: StepState,
  reason: string | null = null,
  server: string | null = null,
): RunEvent => ({
  event: 'step',
  step: name,
  server,
  state,
  reason,
  ms: null,
});
const warning: RunEvent = { event: 'warning', code: 'goal-failed', message: 'It failed.', server: null };

function after(events: readonly RunEvent[], names: readonly string[] = pipeline): RunProgress {
  return events.reduce(advance, { ...newProgress, goals: startGoals(names) });
}
const states = ({ goals }: RunProgress): readonly GoalState[] => goals.map(({ state }) => state);

describe('the goals of a run', () => {
  it('are pending from its start, and stay in the order of the pipeline', () => {
    const progress = after([started]);
    assert.deepEqual(
      progress.goals.map(({ goal }) => goal),
      pipeline,
    );
    assert.deepEqual(states(progress), ['pending', 'pending', 'pending', 'pending']);
  });

  it('are none where the pipeline is but the deploy', () => {
    assert.deepEqual(after([started, step('deploy', 'running')], ['deploy']).goals, []);
  });

  it('become what the run makes of each', () => {
    const running = after([started, step('tested', 'running')]);
    assert.deepEqual(states(running), ['running', 'pending', 'pending', 'pending']);
    assert.equal(currentStep(running).step, 'tested');
    const done = after([
      started,
      step('tested', 'running'),
      step('tested', 'done', PASSED),
      step('deploy', 'running'),
      step('update_code', 'running', null, 'web1'),
      step('deploy', 'done', NEWLY_ACHIEVED),
      step('tagged', 'running'),
      step('tagged', 'already', 'v1 points at it'),
      step('announced', 'running'),
      step('announced', 'failed', 'exit status 3'),
      warning,
    ]);
    assert.deepEqual(states(done), ['passed', 'newly', 'already', 'warned']);
  });

  it('let a dry run say that it builds, until it is built', () => {
    const building = after([started, step('before_deploy', 'running')], ['deploy']);
    assert.equal(currentStep(building).step, 'before_deploy');
    const built = advance(building, step('before_deploy', 'pending'), 0);
    assert.equal(currentStep(built).step, '');
  });

  it('leave the word to the steps of the deploy while that is on', () => {
    const progress = after([
      started,
      step('deploy', 'running'),
      step('update_code', 'running', null, 'web1'),
    ]);
    assert.equal(currentStep(progress).step, 'update_code');
    assert.equal(states(progress)[1], 'running');
  });

  it('after the one that failed were not run', () => {
    const progress = after([started, step('tested', 'running'), step('tested', 'failed', 'exit status 1')]);
    assert.deepEqual(
      settleGoals(progress.goals, 'run').map(({ state }) => state),
      ['failed', 'left', 'left', 'left'],
    );
  });

  for (const [state, reason, icon, description] of [
    ['pending', undefined, 'circle-outline', 'pending'],
    ['pending', 'no tag\n v1', 'circle-outline', 'pending: no tag · v1'],
    ['running', '', 'loading~spin', 'running'],
    ['already', 'it is there', 'pass', 'already achieved'],
    ['newly', undefined, 'pass-filled', 'newly achieved'],
    ['passed', undefined, 'pass', 'passed'],
    ['failed', 'exit status 1', 'error', 'failed: exit status 1'],
    ['warned', 'exit status 1', 'warning', 'failed, which is only a warning: exit status 1'],
    ['unknown', 'no token', 'question', 'unknown: no token'],
    ['left', undefined, 'circle-slash', 'not run'],
  ] as const)
    it(`show "${description}"`, () => {
      const item = goalItem('id', { goal: 'g', state, reason }, { now: 0, t, localTime: (date) => date });
      assert.equal(item.description, description);
      assert.ok(item.icon !== undefined && 'codicon' in item.icon);
      assert.equal(item.icon.codicon, icon);
      assert.equal(item.context, `goal ${state}`);
    });

  it('stand below their stage, before its servers', () => {
    const store = createStore({ get: (_, fallback) => fallback, update: () => Promise.resolve() });
    const none = {
      branch: undefined,
      identity: undefined,
      user: undefined,
      port: undefined,
      domain: undefined,
      repository: undefined,
      problemMatchers: [],
    };
    const entry = { ...stage, line: 1, servers: ['web1'], protected: false, processes: [], ...none };
    store.setConfigurations([{ file: stage.file, label: 'shop', broken: false, stages: [entry] }]);
    store.setRun(stage, after([started, step('tested', 'running')]));
    const nodes = childrenOf(store, { kind: 'stage', ...stage });
    assert.deepEqual(
      nodes.map((node) => itemOf(store, node, { now: 0, t, localTime: (date) => date }).label),
      [...pipeline, 'web1', 'Not asked yet'],
    );
    const [first] = nodes;
    assert.ok(first);
    assert.deepEqual(parentOf(store, first), { kind: 'stage', ...stage });
  });

  const finished: RunFinished = {
    event: 'run-finished',
    ok: true,
    dry_run: false,
    release: 'r2',
    commit: 'c'.repeat(40),
    servers: [{ server: 'web1', state: 'unchanged', current: 'r2', error: null }],
    error: null,
  };
  const ended = (events: readonly RunEvent[]) =>
    endingOf(
      {
        stage: 'production',
        action: 'deploy',
        back: undefined,
        finished,
        goals: after(events).goals,
        ms: 2000,
      },
      t,
    );

  it('that were achieved for a commit that was live already are in the message at the end', () => {
    const { message, level } = ended([started, step('tagged', 'done', NEWLY_ACHIEVED)]);
    assert.match(message, /^production: r2 was live already on 1 server; done now: tagged/);
    assert.equal(level, 'info');
  });

  it('that failed and are optional are in the message at the end', () => {
    const { message, level } = ended([started, step('announced', 'failed', 'x'), warning]);
    assert.match(message, /Optional goals failed: announced\.$/);
    assert.equal(level, 'warning');
  });
});
