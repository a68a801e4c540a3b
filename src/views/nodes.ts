/** The Durant view as data: a snapshot of what is known becomes items. Pure, so that every state can be tested without an editor. */
import { formatAge, shortCommit, type Translate } from '../editor/measures.ts';
import { currentStep, percentOf, type ServerProgress } from '../editor/progress.ts';
import type { LockRecord } from '../engine/index.ts';
import {
  liveOf,
  liveRecord,
  type Configuration,
  type ServerKnown,
  type StageId,
  type StageSnapshot,
  type Store,
} from './store.ts';

/** What a node is; it says nothing of its state, so it stays the same while that changes. */
export type Node =
  | { readonly kind: 'folder'; readonly file: string }
  | ({ readonly kind: 'stage' } & StageId)
  | ({ readonly kind: 'server'; readonly server: string } & StageId)
  | ({ readonly kind: 'release'; readonly server: string; readonly release: string } & StageId)
  /** A failure, of one server or of the whole stage. */
  | ({ readonly kind: 'error'; readonly server: string | undefined } & StageId)
  /** Says that there is nothing, or that it is on its way. */
  | ({ readonly kind: 'note'; readonly server: string | undefined } & StageId);

export type Icon =
  /** A pair in media/icons. */
  | { readonly file: 'stage' | 'server' | 'release' | 'live' }
  | { readonly codicon: string; readonly color?: string };

export interface Item {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Label and value, a line each. */
  readonly tooltip: readonly (readonly [label: string, value: string])[];
  readonly icon: Icon | undefined;
  readonly expands: 'no' | 'closed' | 'open';
  /** Words that menus match. */
  readonly context: string;
}

export interface View {
  readonly now: number;
  readonly t: Translate;
}

export function nodeId(node: Node): string {
  const parts: readonly (string | undefined)[] =
    node.kind === 'folder'
      ? [node.file]
      : node.kind === 'stage'
        ? [node.file, node.stage]
        : node.kind === 'release'
          ? [node.file, node.stage, node.server, node.release]
          : [node.file, node.stage, node.server];
  return JSON.stringify([node.kind, ...parts]);
}

/** The children of a node; of undefined: the roots. */
export function childrenOf(store: Store, node: Node | undefined): readonly Node[] {
  if (node === undefined) {
    const configurations = store.configurations();
    const [only, ...others] = configurations;
    if (only === undefined) return [];
    if (others.length === 0) return stagesOf(only);
    return configurations.map(({ file }) => ({ kind: 'folder', file }));
  }
  if (node.kind === 'folder') {
    const configuration = store.configurations().find(({ file }) => file === node.file);
    return configuration === undefined ? [] : stagesOf(configuration);
  }
  if (node.kind !== 'stage' && node.kind !== 'server') return [];
  const snapshot = store.snapshot(node);
  if (snapshot === undefined) return [];
  const { file, stage } = node;
  if (node.kind === 'stage') {
    const servers = serversOf(snapshot).map((server): Node => ({ kind: 'server', file, stage, server }));
    if (snapshot.failure !== undefined)
      return [{ kind: 'error', file, stage, server: undefined }, ...servers];
    return servers.length > 0 ? servers : [{ kind: 'note', file, stage, server: undefined }];
  }
  const known = knownServer(snapshot, node.server);
  if (known?.error !== undefined && known.error !== null)
    return [{ kind: 'error', file, stage, server: node.server }];
  if (known === undefined || known.releases.length === 0)
    return [{ kind: 'note', file, stage, server: node.server }];
  return known.releases.map(({ name }) => ({
    kind: 'release',
    file,
    stage,
    server: node.server,
    release: name,
  }));
}

export function parentOf(store: Store, node: Node): Node | undefined {
  switch (node.kind) {
    case 'folder':
      return undefined;
    case 'stage':
      return store.configurations().length > 1 ? { kind: 'folder', file: node.file } : undefined;
    case 'release':
      return { kind: 'server', file: node.file, stage: node.stage, server: node.server };
    case 'server':
      return { kind: 'stage', file: node.file, stage: node.stage };
    case 'error':
    case 'note': {
      const { file, stage, server } = node;
      return server === undefined ? { kind: 'stage', file, stage } : { kind: 'server', file, stage, server };
    }
  }
}

function stagesOf({ file, stages }: Configuration): readonly Node[] {
  return stages.map(({ stage }) => ({ kind: 'stage', file, stage }));
}

/** Those of the file first: it may have been edited since the servers were asked. */
function serversOf({ entry, known }: StageSnapshot): readonly string[] {
  return entry.servers ?? known?.servers.map(({ server }) => server) ?? [];
}

export function knownServer({ known }: StageSnapshot, server: string): ServerKnown | undefined {
  return known?.servers.find((each) => each.server === server);
}

export function itemOf(store: Store, node: Node, view: View): Item {
  const id = nodeId(node);
  if (node.kind === 'folder') {
    const label = store.configurations().find(({ file }) => file === node.file)?.label ?? node.file;
    return {
      id,
      label,
      description: '',
      tooltip: [['durant.conf', node.file]],
      icon: { codicon: 'folder' },
      expands: 'open',
      context: 'folder',
    };
  }
  const snapshot = store.snapshot(node);
  if (snapshot === undefined) return note(id, view.t('No longer in durant.conf'), 'circle-slash');
  switch (node.kind) {
    case 'stage':
      return stageItem(id, snapshot, view);
    case 'server':
      return serverItem(id, snapshot, node.server, view);
    case 'release':
      return releaseItem(id, snapshot, node, view);
    case 'error':
      return errorItem(id, snapshot, node.server, view);
    case 'note':
      return noteItem(id, snapshot, node.server, view);
  }
}

function stageItem(id: string, snapshot: StageSnapshot, view: View): Item {
  const { entry, run, failure, known } = snapshot;
  const { t } = view;
  const words = ['stage', run === undefined ? 'idle' : 'running'];
  const failed = failure !== undefined || known?.servers.some(({ error }) => error !== null) === true;
  return {
    id,
    label: entry.stage,
    description: run === undefined ? stageSummary(snapshot, view) : runSummary(run, t),
    tooltip: [
      [t('Stage'), entry.stage],
      [t('Branch'), entry.branch ?? t('the default branch')],
      ...(entry.protected ? [[t('Protected'), t('a run has to be confirmed')] as const] : []),
      ...(known === undefined
        ? []
        : [[t('Asked'), formatAge(new Date(known.at).toISOString(), view.now, t)] as const]),
      ...(failure === undefined ? [] : [[t('Error'), failure.message] as const]),
    ],
    icon:
      run !== undefined || snapshot.loading
        ? { codicon: 'loading~spin' }
        : failed
          ? { codicon: 'warning', color: 'list.warningForeground' }
          : { file: 'stage' },
    expands: 'closed',
    context: words.join(' '),
  };
}

function stageSummary({ entry, known }: StageSnapshot, { now, t }: View): string {
  const live = liveOf(known);
  const parts = entry.protected ? [t('protected')] : [];
  if (live.kind === 'mixed') parts.push(t('servers differ'));
  if (live.kind === 'none') parts.push(t('nothing deployed yet'));
  if (live.kind === 'one') {
    const { record } = live;
    if (record === undefined) parts.push(live.release);
    else
      parts.push(commitOf(record.commit, record.name), formatAge(record.finished || record.started, now, t));
    if (known?.behind !== undefined && known.behind > 0) parts.push(t('{0} behind', known.behind));
  }
  return parts.join(' · ');
}

function runSummary(run: NonNullable<StageSnapshot['run']>, t: Translate): string {
  const { step } = currentStep(run);
  const what = run.dryRun ? t('dry run') : run.action === 'rollback' ? t('rolling back') : t('deploying');
  const percent = `${String(percentOf(run))} %`;
  return step === '' ? `${what} · ${percent}` : `${what} · ${step} · ${percent}`;
}

function serverItem(id: string, snapshot: StageSnapshot, server: string, view: View): Item {
  const { t, now } = view;
  const known = knownServer(snapshot, server);
  const progress = snapshot.run?.servers.get(server);
  const lock = known?.locked ?? undefined;
  const words = ['server', isLocal(server) ? 'local' : 'remote'];
  if (lock !== undefined && snapshot.run === undefined) words.push('blocked');
  return {
    id,
    label: server,
    description: progress === undefined ? serverSummary(snapshot, known, view) : progressText(progress, t),
    tooltip: [
      [t('Server'), server],
      ...(known?.error === undefined || known.error === null ? [] : [[t('Error'), known.error] as const]),
      ...(lock === undefined ? [] : [[t('Locked'), lockText(lock, now, t)] as const]),
    ],
    icon: serverIcon(snapshot, known, progress),
    expands: 'closed',
    context: words.join(' '),
  };
}

function serverIcon(
  snapshot: StageSnapshot,
  known: ServerKnown | undefined,
  progress: ServerProgress | undefined,
): Icon {
  if (progress?.state === 'failed') return { codicon: 'error', color: 'list.errorForeground' };
  if (progress?.state === 'running') return { codicon: 'sync~spin' };
  if (snapshot.loading && known === undefined) return { codicon: 'loading~spin' };
  if (known?.error !== undefined && known.error !== null)
    return { codicon: 'error', color: 'list.errorForeground' };
  if (known?.locked !== undefined && known.locked !== null)
    return { codicon: 'lock', color: 'list.warningForeground' };
  return { file: 'server' };
}

/** Only what is not the rule: where all servers agree, the stage says what is live. */
function serverSummary(snapshot: StageSnapshot, known: ServerKnown | undefined, { now, t }: View): string {
  if (known === undefined) return '';
  if (known.error !== null) return t('not reached');
  if (known.locked !== null) return t('locked by {0}', lockText(known.locked, now, t));
  if (known.current === null) return t('nothing deployed yet');
  if (liveOf(snapshot.known).kind !== 'mixed') return '';
  const record = liveRecord(known);
  return t('live: {0}', record === undefined ? known.current : commitOf(record.commit, record.name));
}

function progressText({ step, state, share }: ServerProgress, t: Translate): string {
  if (state === 'waiting') return t('waiting');
  if (state === 'failed') return t('{0} failed', step);
  if (state === 'done') return t('{0} done', step);
  return share === undefined ? step : `${step} · ${String(Math.floor(share * 100))} %`;
}

function lockText(lock: LockRecord, now: number, t: Translate): string {
  return `${lock.user}@${lock.host} (${lock.action}, ${formatAge(lock.started, now, t)})`;
}

function releaseItem(
  id: string,
  snapshot: StageSnapshot,
  node: Extract<Node, { kind: 'release' }>,
  { now, t }: View,
): Item {
  const known = knownServer(snapshot, node.server);
  const record = known?.releases.find(({ name }) => name === node.release);
  if (record === undefined) return note(id, node.release, 'circle-slash');
  const live = known === undefined ? undefined : liveRecord(known);
  const words = ['release', record.state];
  if (!record.current && (record.state === 'finished' || record.state === 'bad')) words.push('candidate');
  if (record.commit !== '') words.push('commit');
  if (record.commit !== '' && live !== undefined && live.commit !== '' && live.commit !== record.commit)
    words.push('comparable');
  const state = record.current ? t('live') : stateWord(record.state, t);
  const who = record.deployed_by === '' ? [] : [record.deployed_by];
  const age = formatAge(record.finished || record.started, now, t);
  return {
    id,
    label: record.subject === '' ? record.name : record.subject,
    description: [...(state === '' ? [] : [state]), commitOf(record.commit, record.name), ...who, age].join(
      ' · ',
    ),
    tooltip: [
      [t('Release'), record.name],
      [t('State'), record.current ? t('live') : stateWord(record.state, t) || t('finished')],
      [t('Commit'), record.commit],
      [t('Subject'), record.subject],
      [t('Author'), record.author],
      [t('Branch'), record.branch],
      [t('Deployed by'), `${record.deployed_by} (${record.from_host})`],
      [t('Started'), record.started],
      [t('Finished'), record.finished],
    ].filter((line): line is [string, string] => line[1] !== '' && line[1] !== ' ()'),
    icon: record.current
      ? { file: 'live' }
      : record.state === 'failed'
        ? { codicon: 'error', color: 'list.errorForeground' }
        : record.state === 'bad'
          ? { codicon: 'circle-slash' }
          : record.state === 'finished'
            ? { file: 'release' }
            : { codicon: 'watch' },
    expands: 'no',
    context: words.join(' '),
  };
}

function stateWord(state: string, t: Translate): string {
  switch (state) {
    case 'bad':
      return t('rolled back');
    case 'failed':
      return t('failed');
    case 'preparing':
    case 'prepared':
      return t('unfinished');
    default:
      return '';
  }
}

function errorItem(id: string, snapshot: StageSnapshot, server: string | undefined, { t }: View): Item {
  const message =
    (server === undefined ? snapshot.failure?.message : knownServer(snapshot, server)?.error) ??
    t('Not known any more');
  const [first = ''] = message.split('\n');
  return {
    id,
    label: first,
    description: '',
    tooltip: [[t('Error'), message]],
    icon: { codicon: 'error', color: 'list.errorForeground' },
    expands: 'no',
    context: 'error',
  };
}

function noteItem(id: string, snapshot: StageSnapshot, server: string | undefined, { t }: View): Item {
  if (snapshot.loading) return note(id, t('Asking…'), 'loading~spin');
  if (server === undefined) return note(id, t('Which servers there are is not known yet'), 'question');
  const known = knownServer(snapshot, server);
  return known === undefined
    ? note(id, t('Not asked yet'), 'question')
    : note(id, t('No releases yet'), 'info');
}

function note(id: string, label: string, codicon: string): Item {
  return { id, label, description: '', tooltip: [], icon: { codicon }, expands: 'no', context: 'note' };
}

/** A server that is this machine: the rule of config/servers.ts. */
export function isLocal(server: string): boolean {
  return ['local', 'localhost', '127.0.0.1'].includes(server);
}

function commitOf(commit: string, otherwise: string): string {
  return commit === '' ? otherwise : shortCommit(commit);
}
