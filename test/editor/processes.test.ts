/** Processes in the tree: every state, and what each offers, without an editor. */
import assert from 'node:assert/strict';
import type { Translate } from '../../src/format.ts';
import type { ProcessState } from '../../src/engine/index.ts';
import type { Item } from '../../src/views/item.ts';
import { childrenOf, itemOf, parentOf, type Node } from '../../src/views/nodes.ts';
import { createStore, type ServerProcesses, type Store } from '../../src/views/store.ts';

const t: Translate = (text, ...args) =>
  text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));
const now = Date.parse('2026-05-01T12:00:00Z');
const stage = { file: '/shop/durant.conf', stage: 'production' };
const server = { kind: 'server', ...stage, server: 'web1' } as const;

const STATES: Readonly<Record<string, ProcessState['state']>> = {
  active: 'running',
  failed: 'failed',
  inactive: 'stopped',
};

function unit(name: string, active: string, more: Partial<ProcessState> = {}): ProcessState {
  return {
    process: 'web',
    unit: name,
    state: STATES[active] ?? 'running',
    active,
    sub: active === 'active' ? 'running' : 'dead',
    since: null,
    pid: null,
    restarts: 0,
    restarts_since: null,
    observed: null,
    memory_bytes: null,
    ...more,
  };
}

function storeWith(
  servers: readonly Partial<ServerProcesses>[],
  {
    written = ['web'],
    error = null,
  }: { readonly written?: readonly string[]; readonly error?: string | null } = {},
): Store {
  const store = createStore({ get: (_, fallback) => fallback, update: () => Promise.resolve() });
  const entry = { ...stage, line: 1, servers: ['web1', 'web2'], protected: false, processes: written };
  const none = {
    branch: undefined,
    identity: undefined,
    user: undefined,
    port: undefined,
    domain: undefined,
    repository: undefined,
    problemMatchers: [],
  };
  store.setConfigurations([
    { file: stage.file, label: 'shop', broken: false, stages: [{ ...entry, ...none }] },
  ]);
  store.setKnown(stage, {
    servers: ['web1', 'web2'].map((name) => ({
      server: name,
      current: null,
      error: name === 'web1' ? error : null,
      locked: null,
      hold: null,
      maintenance: false,
      releases: [],
    })),
    at: now,
  });
  const whole = servers.map((each) => ({
    server: 'web1',
    release: 'r1',
    processes: [],
    error: null,
    ...each,
  }));
  store.setProcesses(stage, { app: 'shop', servers: whole });
  return store;
}

const item = (store: Store, node: Node): Item => itemOf(store, node, { now, t, localTime: (date) => date });
const labels = (store: Store, node: Node): readonly string[] =>
  childrenOf(store, node).map((child) => item(store, child).label);
const icon = ({ icon: of }: Item): string =>
  of === undefined || !('codicon' in of) ? '' : `${of.codicon} ${of.color ?? ''}`.trim();

function webOf(...processes: readonly ProcessState[]): Item {
  const store = storeWith([{ processes }]);
  const [web] = childrenOf(store, server);
  assert.ok(web?.kind === 'process');
  return item(store, web);
}

const since = { since: '2026-05-01T09:00:00.000Z', pid: 42, memory_bytes: 35_000_000 };

describe('the processes in the Durant view', () => {
  for (const [what, units, looks, description, offers] of [
    [
      'runs',
      [unit('shop.service', 'active', { ...since, restarts: 2 })],
      'circle-filled testing.iconPassed',
      'running · started 3 h ago · pid 42 · 35 MB · 2 restarts',
      ['restartable', 'stoppable'],
    ],
    [
      'has failed',
      [unit('shop.service', 'failed', { sub: 'failed', restarts: 1 })],
      'error list.errorForeground',
      'failed · 1 restart',
      ['startable'],
    ],
    [
      'is stopped',
      [unit('shop.service', 'inactive')],
      'circle-slash disabledForeground',
      'dead',
      ['startable'],
    ],
    [
      'is coming up',
      [unit('shop.service', 'activating', { sub: 'auto-restart' })],
      'loading~spin',
      'auto-restart',
      ['startable', 'stoppable'],
    ],
    [
      'waits at its socket',
      [unit('shop.socket', 'active', { sub: 'listening' }), unit('shop.service', 'inactive')],
      'circle-outline testing.iconPassed',
      'listening',
      ['startable', 'stoppable'],
    ],
    [
      'waits for its time',
      [unit('shop.timer', 'active', { sub: 'waiting' })],
      'watch testing.iconPassed',
      'waiting',
      ['stoppable'],
    ],
    [
      'runs in part',
      [unit('shop@1.service', 'active', since), unit('shop@2.service', 'inactive')],
      'warning list.warningForeground',
      '1 of 2 running · 35 MB',
      ['restartable', 'startable', 'stoppable'],
    ],
    [
      'is not known to systemd',
      [unit('shop.service', 'unknown', { sub: '' })],
      'question',
      'unknown',
      ['startable', 'stoppable'],
    ],
  ] as const)
    it(`show one that ${what} as such, with what can be done`, () => {
      const web = webOf(...units);
      assert.equal(icon(web), looks);
      assert.equal(web.description, description);
      const words = web.context.split(' ');
      assert.deepEqual(words.filter((word) => word.endsWith('able')).sort(), offers);
      assert.ok(words.includes('process') && words.includes('unfollowed'));
    });

  it('stand before the releases, and have their units below them where they are several', () => {
    const store = storeWith([
      {
        processes: [
          unit('shop.socket', 'active', { sub: 'listening' }),
          unit('shop.service', 'active'),
          unit('shop-worker.service', 'active', { process: 'worker' }),
        ],
      },
    ]);
    assert.deepEqual(labels(store, server), ['web', 'worker', 'Files']);
    const [web, worker] = childrenOf(store, server);
    assert.ok(web && worker);
    assert.deepEqual(labels(store, web), ['shop.service', 'shop.socket']);
    assert.deepEqual(labels(store, worker), []);
    assert.deepEqual([item(store, web).expands, item(store, worker).expands], ['closed', 'no']);
    const [first] = childrenOf(store, web);
    assert.ok(first);
    assert.deepEqual(parentOf(store, first), web);
    assert.deepEqual(parentOf(store, web), server);
  });

  it('that have failed are named at their server', () => {
    const store = storeWith([
      {
        processes: [unit('shop.service', 'failed'), unit('shop-mail.service', 'active', { process: 'mail' })],
      },
    ]);
    assert.equal(item(store, server).description, 'web failed');
    assert.equal(icon(item(store, server)), 'warning list.warningForeground');
  });

  it('of a stage that has none in durant.conf are not there, whatever was known', () => {
    const store = storeWith([{ processes: [unit('shop.service', 'active')] }], { written: [] });
    assert.deepEqual(labels(store, server), ['Files']);
  });

  it('that could not be asked about are an error below the stage, and hide no other server', () => {
    const store = storeWith([
      { error: 'No systemctl there.\nMore.' },
      { server: 'web2', processes: [unit('shop.service', 'active')] },
    ]);
    const production: Node = { kind: 'stage', ...stage };
    assert.deepEqual(labels(store, production), ['web1: No systemctl there.', 'web1', 'web2']);
    assert.deepEqual(labels(store, server), ['Files']);
    assert.deepEqual(labels(store, { ...server, server: 'web2' }), ['web', 'Files']);
    const [error] = childrenOf(store, production);
    assert.ok(error);
    assert.equal(item(store, error).context, 'error');
  });

  it('of a server that is not reached are not shown: they may be otherwise now', () => {
    const store = storeWith([{ processes: [unit('shop.service', 'active')] }], { error: 'away' });
    assert.deepEqual(labels(store, { kind: 'stage', ...stage }), ['web1: away', 'web1', 'web2']);
    assert.deepEqual(labels(store, server), ['Files']);
  });

  it('say what this window does with them, and then offer nothing that it does already', () => {
    const store = storeWith([{ processes: [unit('shop.service', 'active')] }]);
    const web: Node = { ...server, kind: 'process', process: 'web' };
    store.setActivity(
      { ...stage, server: 'web1', process: 'web' },
      { control: 'restart', followsLogs: true },
    );
    const shown = item(store, web);
    assert.equal(shown.description, 'restarting… · following logs');
    assert.equal(icon(shown), 'loading~spin');
    assert.equal(shown.context, 'process running followed');
  });
});
