/** The Durant view as data: a snapshot of what is known becomes items. Pure, so that every state can be tested without an editor. */
import { goalItem } from './goalItem.ts';
import { failureOf, noteOf, type Item, type View } from './item.ts';
import { processesOf, processItem, unitItem, unitsOf } from './processItem.ts';
import { releaseItem, releaseNames } from './releaseItem.ts';
import { belowFolder, fileItem, parentOfEntry, type FileNode } from './serverFileItem.ts';
import { serverItem } from './serverItem.ts';
import { stageItem } from './stageItem.ts';
import { knownServer, type Configuration, type StageId, type StageSnapshot, type Store } from './store.ts';

/** What a node is; it says nothing of its state, so it stays the same while that changes. */
export type Node =
  | { readonly kind: 'folder'; readonly file: string }
  | ({ readonly kind: 'stage' } & StageId)
  /** Of the run that is on, or of the last one. */
  | ({ readonly kind: 'goal'; readonly goal: string } & StageId)
  | ({ readonly kind: 'server'; readonly server: string } & StageId)
  | ({ readonly kind: 'process'; readonly server: string; readonly process: string } & StageId)
  | ({
      readonly kind: 'unit';
      readonly server: string;
      readonly process: string;
      readonly unit: string;
    } & StageId)
  | FileNode
  /** The releases of all its servers. */
  | ({ readonly kind: 'releases' } & StageId)
  | ({ readonly kind: 'release'; readonly release: string } & StageId)
  /** A failure, of one server or of the whole stage; directly below the stage. */
  | ({ readonly kind: 'error'; readonly server: string | undefined; readonly about?: 'processes' } & StageId)
  /** Says that there is nothing, or that it is on its way. */
  | ({ readonly kind: 'note'; readonly server: string | undefined } & StageId);

export function nodeId(node: Node): string {
  return JSON.stringify([node.kind, ...partsOf(node)]);
}

function partsOf(node: Node): readonly (string | undefined)[] {
  switch (node.kind) {
    case 'folder':
      return [node.file];
    case 'stage':
    case 'releases':
      return [node.file, node.stage];
    case 'goal':
      return [node.file, node.stage, node.goal];
    case 'process':
      return [node.file, node.stage, node.server, node.process];
    case 'unit':
      return [node.file, node.stage, node.server, node.process, node.unit];
    case 'release':
      return [node.file, node.stage, node.release];
    case 'server':
    case 'note':
    case 'files':
      return [node.file, node.stage, node.server];
    case 'entry':
    case 'listing':
      return [node.file, node.stage, node.server, node.path];
    case 'error':
      return [node.file, node.stage, node.server, ...(node.about === undefined ? [] : [node.about])];
  }
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
  const snapshot = store.snapshot(node);
  if (snapshot === undefined) return [];
  switch (node.kind) {
    case 'stage':
      return belowStage(snapshot, node);
    case 'server':
      return belowServer(snapshot, node);
    case 'releases':
      return releaseNames(snapshot).map((release) => ({ ...node, kind: 'release', release }));
    case 'process': {
      const units = unitsOf(snapshot, node);
      if (units.length < 2) return [];
      return units.map(({ unit }) => ({ ...node, kind: 'unit', unit }));
    }
    case 'files':
    case 'entry':
      return belowFolder(snapshot, node);
    default:
      return [];
  }
}

/** What is wrong first; then what goes on, the servers, and what they have. */
function belowStage(snapshot: StageSnapshot, { file, stage }: StageId): readonly Node[] {
  const id = { file, stage };
  const { failure, known, entry } = snapshot;
  const servers = serversOf(snapshot);
  const errors = servers.flatMap((server): readonly Node[] => [
    ...(isSet(knownServer(snapshot, server)?.error) ? [{ kind: 'error', ...id, server } as const] : []),
    ...(entry.processes.length > 0 && isSet(processesOf(snapshot, server)?.error)
      ? [{ kind: 'error', ...id, server, about: 'processes' } as const]
      : []),
  ]);
  return [
    ...(failure === undefined ? [] : [{ kind: 'error', ...id, server: undefined } as const]),
    ...errors,
    ...snapshot.goals.map(({ goal }): Node => ({ kind: 'goal', ...id, goal })),
    ...servers.map((server): Node => ({ kind: 'server', ...id, server })),
    ...(servers.length === 0 && failure === undefined ? [noNode({ ...id, server: undefined })] : []),
    ...(servers.length > 0 && known === undefined && failure === undefined
      ? [noNode({ ...id, server: servers[0] })]
      : []),
    ...(releaseNames(snapshot).length > 0 ? [{ kind: 'releases', ...id } as const] : []),
  ];
}

function isSet(error: string | null | undefined): boolean {
  return error !== undefined && error !== null;
}

function noNode(place: StageId & { readonly server: string | undefined }): Node {
  return { kind: 'note', ...place };
}

function belowServer(
  snapshot: StageSnapshot,
  { file, stage, server }: Extract<Node, { kind: 'server' }>,
): readonly Node[] {
  const place = { file, stage, server };
  const processes = isSet(knownServer(snapshot, server)?.error) ? [] : processNodes(snapshot, place);
  return [...processes, { kind: 'files', ...place }];
}

function processNodes(
  snapshot: StageSnapshot,
  place: StageId & { readonly server: string },
): readonly Node[] {
  const found = processesOf(snapshot, place.server);
  if (found === undefined || snapshot.entry.processes.length === 0 || found.error !== null) return [];
  const names = new Set(found.processes.map(({ process }) => process));
  return [...names].map((process) => ({ kind: 'process', ...place, process }));
}

export function parentOf(store: Store, node: Node): Node | undefined {
  switch (node.kind) {
    case 'folder':
      return undefined;
    case 'stage':
      return store.configurations().length > 1 ? { kind: 'folder', file: node.file } : undefined;
    case 'process':
      return { kind: 'server', file: node.file, stage: node.stage, server: node.server };
    case 'files':
      return { kind: 'server', file: node.file, stage: node.stage, server: node.server };
    case 'entry':
    case 'listing':
      return parentOfEntry(node);
    case 'release':
      return { kind: 'releases', file: node.file, stage: node.stage };
    case 'unit': {
      const { file, stage, server, process } = node;
      return { kind: 'process', file, stage, server, process };
    }
    case 'goal':
    case 'server':
    case 'releases':
    case 'error':
    case 'note':
      return { kind: 'stage', file: node.file, stage: node.stage };
  }
}

function stagesOf({ file, stages }: Configuration): readonly Node[] {
  return stages.map(({ stage }) => ({ kind: 'stage', file, stage }));
}

/** Those of the file first: it may have been edited since the servers were asked. */
function serversOf({ entry, known }: StageSnapshot): readonly string[] {
  return entry.servers ?? known?.servers.map(({ server }) => server) ?? [];
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
  if (snapshot === undefined) return noteOf(id, view.t('No longer in durant.conf'), 'circle-slash');
  switch (node.kind) {
    case 'stage':
      return stageItem(id, snapshot, view);
    case 'goal': {
      const goal = snapshot.goals.find((each) => each.goal === node.goal);
      return goal === undefined ? noteOf(id, node.goal, 'circle-slash') : goalItem(id, goal, view);
    }
    case 'server':
      return serverItem(id, snapshot, node.server, view);
    case 'process':
      return processItem(id, snapshot, node, view);
    case 'unit':
      return unitItem(id, snapshot, node, view);
    case 'files':
    case 'entry':
    case 'listing':
      return fileItem(id, snapshot, node, view);
    case 'release':
      return releaseItem(id, snapshot, node.release, view);
    case 'releases':
      return {
        ...noteOf(id, view.t('Releases'), 'history'),
        description: String(releaseNames(snapshot).length),
        expands: 'open',
        context: 'releases',
      };
    case 'error': {
      const text = errorText(snapshot, node) ?? view.t('Not known any more');
      return failureOf(id, node.server === undefined ? text : `${node.server}: ${text}`, view);
    }
    case 'note':
      return noteItem(id, snapshot, node.server, view);
  }
}

function errorText(
  snapshot: StageSnapshot,
  { server, about }: Extract<Node, { kind: 'error' }>,
): string | undefined {
  if (server === undefined) return snapshot.failure?.message;
  const found = about === 'processes' ? processesOf(snapshot, server) : knownServer(snapshot, server);
  return found?.error ?? undefined;
}

function noteItem(id: string, snapshot: StageSnapshot, server: string | undefined, { t }: View): Item {
  if (snapshot.loading) return noteOf(id, t('Asking…'), 'loading~spin');
  return server === undefined
    ? noteOf(id, t('Which servers there are is not known yet'), 'question')
    : noteOf(id, t('Not asked yet'), 'question');
}
