/** The files of a server in the tree, in every state, without an editor and without a server. */
import assert from 'node:assert/strict';
import { pathBelow } from '../../src/commands/compared.ts';
import type { ServerEntry } from '../../src/engine/index.ts';
import { english } from '../../src/format.ts';
import type { Item } from '../../src/views/item.ts';
import { childrenOf, itemOf, nodeId, parentOf, type Node } from '../../src/views/nodes.ts';
import type { FolderKnown } from '../../src/views/folders.ts';
import { createStore, type Store } from '../../src/views/store.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const stage = { file: '/shop/durant.conf', stage: 'production' };
const server: Node = { kind: 'server', ...stage, server: 'web1' };
const files: Node = { kind: 'files', ...stage, server: 'web1' };
const entryNode = (path: string): Node => ({ kind: 'entry', ...stage, server: 'web1', path });

function entry(name: string, more: Partial<ServerEntry> = {}): ServerEntry {
  return { name, kind: 'file', target: undefined, size: 2_500, changed: now - 3_600_000, ...more };
}

function storeWith(folders: Readonly<Record<string, FolderKnown>>): Store {
  const store = createStore({ get: (_, fallback) => fallback, update: () => Promise.resolve() });
  store.setConfigurations([
    {
      file: stage.file,
      label: 'shop',
      broken: false,
      stages: [
        {
          ...stage,
          line: 1,
          servers: ['web1'],
          protected: false,
          processes: [],
          domain: undefined,
          repository: undefined,
          problemMatchers: [],
          projectDir: '/srv/shop',
          branch: undefined,
          identity: undefined,
          user: undefined,
          port: undefined,
        },
      ],
    },
  ]);
  for (const [path, known] of Object.entries(folders))
    store.setFolder({ ...stage, server: 'web1', path }, known);
  return store;
}

const item = (store: Store, node: Node): Item =>
  itemOf(store, node, { now, t: english, localTime: (date) => `local ${date}` });
const rows = (store: Store, node: Node): readonly string[] =>
  childrenOf(store, node).map((child) => {
    const { label, description } = item(store, child);
    return `${label} ${description}`.trim();
  });
const listed = (entries: readonly ServerEntry[], total = entries.length): FolderKnown => ({
  kind: 'listed',
  folder: { entries, total },
});

describe('the files of a server', () => {
  it('stand below it, and nobody is asked for them before they are opened', () => {
    const store = storeWith({});
    assert.deepEqual(rows(store, server), ['Files /srv/shop']);
    assert.equal(item(store, server).expands, 'closed');
    assert.equal(item(store, files).expands, 'closed');
    assert.deepEqual(rows(store, files), ['List This Folder']);
    const [list] = childrenOf(store, files);
    assert.equal(
      list === undefined ? undefined : item(store, list).opens?.command,
      'durant.server.listFolder',
    );
  });

  it('have sizes and ages, links what they lead to', () => {
    const store = storeWith({
      '': listed([
        entry('current', { kind: 'folder', target: 'releases/r1', size: undefined, changed: undefined }),
        entry('shared', { kind: 'folder', size: undefined, changed: undefined }),
        entry('notes.txt'),
        entry('gone', { kind: 'other', target: 'nowhere', size: undefined, changed: undefined }),
      ]),
      shared: listed([entry('app.log', { size: 480_000_000 })]),
    });
    assert.deepEqual(rows(store, files), [
      'current → releases/r1',
      'shared',
      'notes.txt 2.5 kB · 1 h ago',
      'gone → nowhere',
    ]);
    const [current, shared, notes, gone] = childrenOf(store, files).map((node) => item(store, node));
    assert.deepEqual(current?.icon, { codicon: 'file-symlink-directory' });
    assert.equal(current.spoken, 'link');
    assert.equal(shared?.expands, 'closed');
    assert.deepEqual(notes?.icon, { fileNamed: 'notes.txt', kind: 'file' });
    assert.equal(notes.opens?.command, 'durant.server.openFile');
    assert.deepEqual(notes.tooltip[0], ['Path', '/srv/shop/notes.txt']);
    assert.equal(gone?.opens, undefined);
    assert.deepEqual(rows(store, entryNode('shared')), ['app.log 480 MB · 1 h ago']);
    assert.match(item(store, entryNode('shared/app.log')).context, /\bentry file large$/);
  });

  it('know the folder that they are in, and each is itself', () => {
    const store = storeWith({});
    const log = entryNode('shared/log/app.log');
    assert.deepEqual(parentOf(store, log), entryNode('shared/log'));
    assert.deepEqual(parentOf(store, entryNode('shared')), files);
    assert.deepEqual(parentOf(store, files), server);
    assert.notEqual(nodeId(log), nodeId(entryNode('shared/log')));
  });

  it('say that they are asked for, that there is none, that there are more, and why they cannot be listed', () => {
    assert.deepEqual(rows(storeWith({ '': { kind: 'loading' } }), files), ['Asking…']);
    assert.deepEqual(rows(storeWith({ '': listed([]) }), files), ['Empty']);
    assert.deepEqual(rows(storeWith({ '': listed([entry('a', { size: undefined })], 12) }), files), [
      'a 1 h ago',
      'and 11 more',
    ]);
    const failed = storeWith({ '': { kind: 'failed', message: 'The server cannot be reached.' } });
    assert.deepEqual(rows(failed, files), ['The server cannot be reached.']);
  });

  it('are not shown as they were once another release is live on their server', () => {
    const store = storeWith({});
    const known = (server: string, current: string) =>
      ({ server, current, error: null, locked: null, hold: null, maintenance: false, releases: [] }) as const;
    const set = (one: string, two: string): void => {
      store.setKnown(stage, { servers: [known('web1', one), known('web10', two)], at: now });
    };
    set('r1', 'r1');
    for (const server of ['web1', 'web10'])
      store.setFolder({ ...stage, server, path: '' }, listed([entry('a', { size: undefined })]));
    set('r1', 'r1');
    assert.deepEqual(rows(store, files), ['a 1 h ago']);
    set('r2', 'r1');
    assert.deepEqual(rows(store, files), ['List This Folder']);
    assert.deepEqual(rows(store, { ...files, server: 'web10' }), ['a 1 h ago']);
  });

  it('have harmless names', () => {
    const store = storeWith({ '': listed([entry('a\nb', { target: '\u001b]0;x\u0007' })]) });
    assert.deepEqual(rows(store, files), ['a\\x0ab → \\x1b]0;x\\x07']);
  });
});

describe('a path of the project as it is deployed', () => {
  it('is relative to the folder that is sent, and none outside of it', () => {
    assert.equal(pathBelow('.', 'src/a.ts'), 'src/a.ts');
    assert.equal(pathBelow('.', '../a'), undefined);
    assert.equal(pathBelow('web/public', 'web/public/a'), 'a');
    assert.equal(pathBelow('web/public', 'web/public'), '');
    assert.equal(pathBelow('web/public', 'web/publicity/a'), undefined);
    assert.equal(pathBelow('web', '/etc/passwd'), undefined);
    assert.equal(pathBelow('web', 'D:/x'), undefined);
  });
});
