/** Every state of the tree, without an editor. */
import assert from 'node:assert/strict';
import type { Translate } from '../../src/format.ts';
import { advance, newProgress } from '../../src/report/progress.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { failureOf } from '../../src/editor/ending.ts';
import { liveStatusOf } from '../../src/views/liveStatus.ts';
import type { Item } from '../../src/views/item.ts';
import { childrenOf, itemOf, nodeId, parentOf, type Node } from '../../src/views/nodes.ts';
import { createStore, type Configuration, type ServerKnown, type Store } from '../../src/views/store.ts';

const t: Translate = (text, ...args) =>
  text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));
const now = Date.parse('2026-05-01T12:00:00Z');
const file = '/shop/durant.conf';
const stage = { file, stage: 'production' };
const node: Node = { kind: 'stage', ...stage };
const web1: Node = { kind: 'server', ...stage, server: 'web1' };

function configuration(servers: readonly string[] | undefined, protectedStage = false): Configuration {
  const entry = {
    ...stage,
    line: 1,
    servers,
    protected: protectedStage,
    processes: [],
    domain: undefined,
    repository: undefined,
    problemMatchers: [],
  };
  return {
    file,
    label: 'shop',
    broken: false,
    stages: [{ ...entry, branch: undefined, identity: undefined, user: undefined, port: undefined }],
  };
}

type Release = ServerKnown['releases'][number];

function release(name: string, more: Partial<Release> = {}): Release {
  return {
    name,
    current: false,
    commit: `${name.slice(-1).repeat(40)}`,
    branch: 'main',
    subject: `Subject of ${name}`,
    author: 'Ada',
    recipe: '',
    run: '',
    deployed_by: 'ada',
    from_host: 'laptop',
    started: '2026-05-01T11:00:00Z',
    finished: '2026-05-01T11:00:00Z',
    state: 'finished',
    ...more,
  } as Release;
}

function known(more: Partial<ServerKnown> = {}): ServerKnown {
  return {
    server: 'web1',
    current: null,
    error: null,
    locked: null,
    hold: null,
    maintenance: false,
    releases: [],
    ...more,
  };
}

function storeWith(
  servers: readonly ServerKnown[] | undefined,
  written: readonly string[] | undefined = ['web1'],
): Store {
  const store = createStore({ get: (_, fallback) => fallback, update: () => Promise.resolve() });
  store.setConfigurations([configuration(written)]);
  if (servers !== undefined) store.setKnown(stage, { servers, at: now });
  return store;
}

const item = (store: Store, of: Node): Item =>
  itemOf(store, of, { now, t, localTime: (date) => `local ${date}` });
const icon = ({ icon: of }: Item): string | undefined =>
  of === undefined
    ? undefined
    : 'file' in of
      ? of.file
      : 'codicon' in of
        ? of.codicon
        : `${of.kind} ${of.fileNamed}`;
const below = (store: Store, of: Node | undefined): readonly string[] =>
  childrenOf(store, of).map((child) => item(store, child).label);

describe('the nodes of the Durant view', () => {
  it('are the stages of the only durant.conf, or the folders of several', () => {
    const store = storeWith(undefined);
    assert.deepEqual(below(store, undefined), ['production']);
    store.setConfigurations([
      configuration(['web1']),
      { ...configuration([]), file: '/b/durant.conf', label: 'b' },
    ]);
    assert.deepEqual(below(store, undefined), ['shop', 'b']);
    assert.equal(parentOf(store, node)?.kind, 'folder');
  });

  it('say that nothing was asked yet, that it is being asked, that there is nothing', () => {
    const store = storeWith(undefined);
    assert.deepEqual(below(store, node), ['web1', 'Not asked yet']);
    store.setLoading(stage, true);
    assert.deepEqual(below(store, node), ['web1', 'Asking…']);
    assert.equal(icon(item(store, web1)), 'loading~spin');
    store.setLoading(stage, false);
    store.setKnown(stage, { servers: [known()], at: now });
    assert.deepEqual(below(store, node), ['web1']);
    assert.equal(item(store, node).description, 'nothing deployed yet');
  });

  it('have no servers where a resolver has to be run to know them', () => {
    const store = createStore({ get: (_, fallback) => fallback, update: () => Promise.resolve() });
    store.setConfigurations([configuration(undefined)]);
    assert.deepEqual(below(store, node), ['Which servers there are is not known yet']);
    store.setKnown(stage, { servers: [known()], at: now });
    assert.deepEqual(below(store, node), ['web1']);
  });

  it('say what is live on a stage, and how far behind', () => {
    const live = release('r1', { current: true });
    const store = storeWith([known({ current: 'r1', releases: [live] })]);
    assert.equal(item(store, node).description, '1111111 · 1 h ago');
    store.setKnown(stage, { servers: [known({ current: 'r1', releases: [live] })], at: now, behind: 3 });
    assert.equal(item(store, node).description, '1111111 · 1 h ago · 3 behind');
    store.setConfigurations([configuration(['web1'], true)]);
    assert.equal(item(store, node).description, '1111111 · 1 h ago · 3 behind');
    assert.equal(icon(item(store, node)), 'shield');
    assert.equal(item(store, node).spoken, 'protected');
  });

  it('say that a stage is held, by whom and until when, and that visitors get the maintenance page', () => {
    const held = {
      user: 'grace',
      host: 'laptop',
      why: 'the board looks at it',
      since: '2026-05-01T11:00:00Z',
      until: '2026-05-01T15:00:00Z',
    };
    const store = storeWith([known({ hold: held, maintenance: true }), known({ server: 'web2' })]);
    const found = item(store, node);
    assert.equal(found.description, 'maintenance · nothing deployed yet · held: the board looks at it');
    assert.match(found.context, /\bheld\b/);
    assert.equal(icon(found), 'debug-pause');
    const lines = found.tooltip.map((line) => line.join(': '));
    assert.ok(lines.includes('Held: grace@laptop (1 h ago): the board looks at it'), lines.join('\n'));
    assert.ok(lines.includes('Held until: local 2026-05-01T15:00:00Z'));
    store.setKnown(stage, { servers: [known()], at: now });
    assert.match(item(store, node).context, /\bunheld\b/);
  });

  it('mark a stage whose servers differ, and a server that was not reached', () => {
    const store = storeWith(
      [
        known({ current: 'r1' }),
        known({ server: 'web2', current: 'r2' }),
        known({ server: 'web3', error: 'away\nmore' }),
      ],
      ['web1', 'web2', 'web3'],
    );
    assert.equal(item(store, node).description, 'servers differ');
    assert.equal(icon(item(store, node)), 'warning');
    const web3: Node = { kind: 'server', ...stage, server: 'web3' };
    assert.equal(item(store, web3).description, 'not reached');
    const [error, ...others] = childrenOf(store, node);
    assert.ok(error);
    assert.deepEqual([item(store, error).label, item(store, error).context], ['web3: away', 'error']);
    assert.deepEqual(item(store, error).tooltip, [['Error', 'web3: away\nmore']]);
    assert.equal(others.length, 3);
    assert.equal(parentOf(store, error)?.kind, 'stage');
  });

  it('keep what was live where a server is not reached any more', () => {
    const live = release('r1', { current: true });
    const store = storeWith([known({ current: 'r1', releases: [live] })]);
    store.setKnown(stage, { servers: [known({ error: 'away' })], at: now + 1 });
    store.setKnown(stage, { servers: [known({ error: 'still away' })], at: now + 2 });
    assert.equal(item(store, node).description, '1111111 · 1 h ago');
    assert.deepEqual(below(store, node), ['web1: still away', 'web1', 'Releases']);
    assert.deepEqual(item(store, web1).tooltip.at(-1), ['Last reached', 'local 2026-05-01T12:00:00.000Z']);
  });

  it('have each release once, and say on which servers it is otherwise', () => {
    const [one, two] = [release('r1', { order: 1 }), release('r2', { order: 2 })];
    const store = storeWith(
      [
        known({ current: 'r2', releases: [{ ...two, current: true }, one] }),
        known({ server: 'web2', current: 'r1', releases: [{ ...one, current: true }] }),
        known({ server: 'web3', current: 'r2', releases: [{ ...two, current: true }, one] }),
      ],
      ['web1', 'web2', 'web3'],
    );
    const releases: Node = { kind: 'releases', ...stage };
    assert.deepEqual(below(store, releases), ['2222222', '1111111']);
    assert.deepEqual(
      childrenOf(store, releases).map((child) => item(store, child).description),
      ['1 h ago · Subject of r2 · live on web1, web3', '1 h ago · Subject of r1 · live on web2'],
    );
    assert.deepEqual(
      childrenOf(store, releases).map((child) => parentOf(store, child)?.kind),
      ['releases', 'releases'],
    );
    store.setKnown(stage, { servers: [known({ releases: [one] }), known({ server: 'web2' })], at: now });
    assert.match(item(store, { kind: 'release', ...stage, release: 'r1' }).description, / · only on web1$/);
  });

  it('show who holds a lock, with the menu that unlocks', () => {
    const locked = {
      run: 'r',
      stage: 'production',
      user: 'grace',
      host: 'elsewhere',
      started: '2026-05-01T11:58:00Z',
      action: 'deploy',
      message: '',
    };
    const store = storeWith([known({ locked })]);
    assert.equal(item(store, web1).description, 'locked by grace@elsewhere (deploy, 2 min ago)');
    assert.match(item(store, web1).context, /\bblocked\b/);
    assert.equal(icon(item(store, web1)), 'lock');
  });

  for (const [state, current, icons, candidate, word] of [
    ['finished', true, 'live', false, 'live'],
    ['finished', false, 'release', true, ''],
    ['bad', false, 'circle-slash', true, 'rolled back'],
    ['failed', false, 'error', false, 'failed'],
    ['preparing', false, 'watch', false, 'unfinished'],
    ['prepared', false, 'watch', false, 'unfinished'],
  ] as const)
    it(`show a release that is ${state}${current ? ' and live' : ''} as such`, () => {
      const store = storeWith([known({ current: 'r2', releases: [release('r1', { state, current })] })]);
      const shown = item(store, { kind: 'release', ...stage, release: 'r1' });
      assert.equal(icon(shown), icons);
      assert.equal(/\bolder\b/.test(shown.context), candidate);
      assert.equal(shown.label, '1111111');
      assert.equal(shown.description, '1 h ago · Subject of r1');
      assert.equal(shown.spoken ?? '', word);
      const facts = new Map(shown.tooltip);
      assert.equal(facts.get('Finished'), 'local 2026-05-01T11:00:00Z');
      assert.equal(facts.get('Deployed by'), 'ada (laptop)');
      assert.equal(facts.get('Servers'), 'web1');
    });

  it('compare with what is live only what differs from it', () => {
    const same = release('r2', { commit: '1'.repeat(40) });
    const store = storeWith([
      known({ current: 'r1', releases: [release('r1', { current: true }), same, release('r3')] }),
    ]);
    const context = (name: string): string =>
      item(store, { kind: 'release', ...stage, release: name }).context;
    assert.doesNotMatch(context('r2'), /comparable/);
    assert.match(context('r3'), /comparable/);
  });

  it('show a run while it is on, and offer to cancel it', () => {
    const store = storeWith([known()], ['web1', 'web2']);
    const started = advance(
      newProgress,
      {
        event: 'run-started',
        run: 'r',
        action: 'deploy',
        stage: 'production',
        dry_run: false,
        servers: ['web1', 'web2'],
      } as Parameters<typeof advance>[1],
      0,
    );
    store.setRun(
      stage,
      advance(
        started,
        {
          event: 'transfer',
          server: 'web1',
          files: 3,
          total_files: 6,
          bytes: 5,
          total_bytes: 10,
        } as Parameters<typeof advance>[1],
        0,
      ),
    );
    assert.match(item(store, node).description, /^deploying · Send 3 of 6 files · \d+ %$/);
    assert.match(item(store, node).context, /\brunning\b/);
    assert.equal(item(store, web1).description, 'Send files · 50 %');
    assert.equal(item(store, { ...web1, server: 'web2' }).description, 'waiting');
  });

  it('keep their names while their state changes, and each has its own', () => {
    const all: readonly Node[] = [
      { kind: 'folder', file },
      node,
      web1,
      { kind: 'release', ...stage, release: 'r1' },
      { kind: 'releases', ...stage },
      { kind: 'error', ...stage, server: 'web1' },
      { kind: 'error', ...stage, server: undefined },
      { kind: 'note', ...stage, server: 'web1' },
      { kind: 'error', ...stage, server: 'web1', about: 'processes' },
      { kind: 'process', ...stage, server: 'web1', process: 'web' },
      { kind: 'unit', ...stage, server: 'web1', process: 'web', unit: 'shop.service' },
      { kind: 'goal', ...stage, goal: 'deploy' },
    ];
    assert.equal(new Set(all.map(nodeId)).size, all.length);
  });

  it('of a stage that is gone say so', () => {
    const store = storeWith(undefined);
    store.setConfigurations([]);
    assert.equal(item(store, node).label, 'No longer in durant.conf');
    assert.deepEqual(childrenOf(store, node), []);
  });
});

describe('the status bar', () => {
  const view = { now, t, localTime: (date: string) => date };

  it('says what is live, and how far behind, once that is known', () => {
    const store = storeWith(undefined);
    assert.equal(liveStatusOf(store, undefined, view), undefined);
    const live = release('r1', { current: true });
    store.setKnown(stage, { servers: [known({ current: 'r1', releases: [live] })], at: now, behind: 2 });
    assert.deepEqual(liveStatusOf(store, undefined, view), {
      text: '$(layers) production 1111111 · 2 behind',
      tooltip: 'Live on production: Subject of r1 (1 h ago)',
    });
    store.setConfigurations([configuration(['web1'], true)]);
    assert.match(liveStatusOf(store, stage, view)?.text ?? '', /^\$\(shield\) /);
  });
});

describe('the remedies of a failure', () => {
  const remedies = (code: ErrorCode, mayWait = false): readonly string[] =>
    failureOf(
      {
        code,
        message: 'No. Run: ssh-keygen -R web1',
        changed: false,
        data: { command: 'ssh-keygen -R web1' },
      },
      { stage: 'production', mayWait },
      t,
    ).remedies;

  it('are what helps', () => {
    assert.deepEqual(remedies('disk-full'), ['prune', 'retry', 'show-output']);
    assert.deepEqual(remedies('git-missing'), ['git-setting', 'retry', 'show-output']);
    assert.deepEqual(remedies('host-key-changed'), ['copy-command', 'show-output']);
    assert.deepEqual(remedies('locked'), ['unlock', 'retry', 'show-output']);
    assert.deepEqual(remedies('locked', true), ['unlock', 'wait', 'retry', 'show-output']);
  });

  it('are told in words, but for commands of Durant, which are buttons', () => {
    const told = (remedy: string, command: string): string =>
      failureOf(
        { code: 'locked', message: '', changed: false, summary: 'It is locked.', remedy, data: { command } },
        { stage: 'production' },
        t,
      ).message;
    assert.equal(told('Run: ssh-add key', 'ssh-add key'), 'production: It is locked. Run: ssh-add key');
    assert.equal(
      told('Use: durant unlock production', 'durant unlock production'),
      'production: It is locked.',
    );
  });

  it('copy the command that the error names', () => {
    const command = "ssh-keygen -f ~/.ssh/known_hosts -R '[web1]:2222'";
    const error = { code: 'host-key-changed', message: 'No.', changed: false, data: { command } } as const;
    assert.equal(failureOf(error, { stage: 'production' }, t).command, command);
  });
});
