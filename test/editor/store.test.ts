import assert from 'node:assert/strict';
import { settleGoals, startGoals } from '../../src/report/goals.ts';
import { newProgress } from '../../src/report/progress.ts';
import {
  createStore,
  liveOf,
  type Configuration,
  type Memory,
  type ServerKnown,
} from '../../src/views/store.ts';

const stage = { file: '/shop/durant.conf', stage: 'production' };
const configuration: Configuration = {
  file: stage.file,
  label: 'shop',
  broken: false,
  stages: [
    {
      ...stage,
      line: 1,
      servers: ['web1', 'web2'],
      protected: false,
      branch: undefined,
      identity: undefined,
      user: undefined,
      port: undefined,
      processes: ['web'],
      domain: undefined,
      repository: undefined,
      problemMatchers: [],
    },
  ],
};

function server(name: string, current: string | null, error: string | null = null): ServerKnown {
  return { server: name, current, error, locked: null, hold: null, maintenance: false, releases: [] };
}

function memory(): Memory {
  const kept = new Map<string, unknown>();
  return {
    get: <T>(key: string, fallback: T): T => (kept.has(key) ? (kept.get(key) as T) : fallback),
    update: (key, value) => {
      kept.set(key, structuredClone(value));
      return Promise.resolve();
    },
  };
}

describe('the store of the views', () => {
  it('knows a stage only while durant.conf has it, and keeps what was known of it', () => {
    const store = createStore(memory());
    assert.equal(store.snapshot(stage), undefined);
    store.setConfigurations([configuration]);
    store.setKnown(stage, { servers: [server('web1', 'r1')], at: 1 });
    store.setConfigurations([]);
    assert.equal(store.snapshot(stage), undefined);
    store.setConfigurations([configuration]);
    assert.equal(store.snapshot(stage)?.known?.servers[0]?.current, 'r1');
  });

  it('remembers what is known across reloads, and not what went wrong or runs', () => {
    const kept = memory();
    const before = createStore(kept);
    before.setConfigurations([configuration]);
    before.setKnown(stage, { servers: [server('web1', 'r1')], at: 1, behind: 2 });
    before.setFailure(stage, { code: 'internal', message: 'x' });
    before.setLoading(stage, true);
    const after = createStore(kept);
    after.setConfigurations([configuration]);
    const snapshot = after.snapshot(stage);
    assert.equal(snapshot?.known?.behind, 2);
    assert.deepEqual([snapshot.failure, snapshot.loading, snapshot.run], [undefined, false, undefined]);
  });

  it('knows the processes of each server by themselves, also across reloads', () => {
    const kept = memory();
    const store = createStore(kept);
    store.setConfigurations([configuration]);
    const of = (server: string, error: string | null) => ({ server, release: null, processes: [], error });
    store.setProcesses(stage, { app: 'shop', servers: [of('web1', null), of('web2', null)] });
    store.setProcesses(stage, { app: 'shop', servers: [of('web2', 'away')] });
    for (const each of [store, createStore(kept)]) {
      each.setConfigurations([configuration]);
      assert.deepEqual(
        each.snapshot(stage)?.processes?.servers.map(({ server, error }) => [server, error]),
        [
          ['web1', null],
          ['web2', 'away'],
        ],
      );
    }
  });

  it('knows what this window does with a process, and with no other', () => {
    const store = createStore(memory());
    store.setConfigurations([configuration]);
    const web = { ...stage, server: 'web1', process: 'web' };
    store.setActivity(web, { control: 'restart' });
    store.setActivity(web, { followsLogs: true });
    const activity = (server: string) => store.snapshot(stage)?.activity(server, 'web');
    assert.deepEqual(activity('web1'), { control: 'restart', followsLogs: true });
    assert.deepEqual(activity('web2'), { control: undefined, followsLogs: false });
    store.setActivity(web, { control: undefined });
    assert.deepEqual(activity('web1'), { control: undefined, followsLogs: true });
  });

  it('keeps the goals of a run until they are let go', () => {
    const store = createStore(memory());
    store.setConfigurations([configuration]);
    const goals = startGoals(['tested', 'deploy']);
    store.setRun(stage, { ...newProgress, goals });
    assert.equal(store.snapshot(stage)?.goals.length, 2);
    store.setGoals(stage, settleGoals(goals, 'run'));
    store.setRun(stage, undefined);
    assert.deepEqual(
      store.snapshot(stage)?.goals.map(({ state }) => state),
      ['left', 'left'],
    );
    store.setGoals(stage, []);
    assert.deepEqual(store.snapshot(stage)?.goals, []);
  });

  it('is loading until the last of several loads has ended', () => {
    const store = createStore(memory());
    store.setConfigurations([configuration]);
    store.setLoading(stage, true);
    store.setLoading(stage, true);
    store.setLoading(stage, false);
    assert.equal(store.snapshot(stage)?.loading, true);
    store.setLoading(stage, false);
    store.setLoading(stage, false);
    assert.equal(store.snapshot(stage)?.loading, false);
  });

  it('forgets a failure once the servers have answered', () => {
    const store = createStore(memory());
    store.setConfigurations([configuration]);
    store.setFailure(stage, { code: 'internal', message: 'x' });
    store.setKnown(stage, { servers: [], at: 1 });
    assert.equal(store.snapshot(stage)?.failure, undefined);
  });

  it('tells whoever listens which stage changed, until they stop', () => {
    const store = createStore(memory());
    const told: (string | undefined)[] = [];
    const stop = store.subscribe((changed) => told.push(changed?.stage));
    store.setConfigurations([configuration]);
    store.setLoading(stage, true);
    stop();
    store.setLoading(stage, false);
    assert.deepEqual(told, [undefined, 'production']);
  });

  for (const [what, servers, kind] of [
    ['nobody answered', [server('web1', null, 'away')], 'unknown'],
    ['nobody was asked', [], 'unknown'],
    ['nothing is deployed', [server('web1', null), server('web2', null)], 'none'],
    ['servers differ', [server('web1', 'r1'), server('web2', 'r2')], 'mixed'],
    ['one has nothing', [server('web1', 'r1'), server('web2', null)], 'mixed'],
    ['all are the same', [server('web1', 'r1'), server('web2', 'r1')], 'one'],
    ['all that answered are the same', [server('web1', 'r1'), server('web2', null, 'away')], 'one'],
  ] as const)
    it(`finds ${kind} live where ${what}`, () => {
      assert.equal(liveOf({ servers, at: 1 }).kind, kind);
    });
});
