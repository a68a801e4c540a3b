import assert from 'node:assert/strict';
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
    },
  ],
};

function server(name: string, current: string | null, error: string | null = null): ServerKnown {
  return { server: name, current, error, locked: null, releases: [] };
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
