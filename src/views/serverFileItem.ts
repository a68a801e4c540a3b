/** The files of a server as items of the tree: folders that were listed, and what is in them. Pure. */
import { MOST_BYTES, type ServerEntry } from '../engine/server/serverFiles.ts';
import { nodeCommands } from '../editor/ids.ts';
import { formatAge, formatBytes } from '../format.ts';
import { printable } from '../printable.ts';
import { failureOf, noteOf, type Icon, type Item, type View } from './item.ts';
import type { FolderKnown } from './folders.ts';
import type { StageId, StageSnapshot } from './store.ts';

/** `path` is relative to project_dir: bytes as latin1 characters. */
export type FileNode =
  /** All that is in project_dir. */
  | ({ readonly kind: 'files'; readonly server: string } & StageId)
  /** A file or folder, as the list of its folder has it. */
  | ({ readonly kind: 'entry'; readonly server: string; readonly path: string } & StageId)
  /** Says of a folder that it is being listed, is empty, has more, or cannot be listed. */
  | ({ readonly kind: 'listing'; readonly server: string; readonly path: string } & StageId);

/** The path of a folder's node. */
export function folderPath(node: FileNode): string {
  return node.kind === 'files' ? '' : node.path;
}

export function belowFolder(snapshot: StageSnapshot, node: FileNode): readonly FileNode[] {
  if (node.kind === 'listing') return [];
  const { file, stage, server } = node;
  const path = folderPath(node);
  const place = { file, stage, server };
  const known = snapshot.folder(server, path);
  const listing: FileNode = { kind: 'listing', ...place, path };
  if (known?.kind !== 'listed') return [listing];
  const { entries, total } = known.folder;
  const below = entries.map(({ name }): FileNode => ({
    kind: 'entry',
    ...place,
    path: path === '' ? name : `${path}/${name}`,
  }));
  return total === 0 || total > entries.length ? [...below, listing] : below;
}

export function parentOfEntry(node: FileNode): FileNode | undefined {
  if (node.kind === 'files') return undefined;
  const { file, stage, server, path } = node;
  const above = node.kind === 'listing' ? path : parentPath(path);
  return above === ''
    ? { kind: 'files', file, stage, server }
    : { kind: 'entry', file, stage, server, path: above };
}

export function entryOf(
  snapshot: StageSnapshot,
  { server, path }: Extract<FileNode, { kind: 'entry' }>,
): ServerEntry | undefined {
  const known = snapshot.folder(server, parentPath(path));
  if (known?.kind !== 'listed') return undefined;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return known.folder.entries.find((entry) => entry.name === name);
}

/** The text of a path or name, harmless wherever it is shown. */
export function shownPath(bytes: string): string {
  return printable(Buffer.from(bytes, 'latin1').toString('utf8'));
}

export function fileItem(id: string, snapshot: StageSnapshot, node: FileNode, view: View): Item {
  const { t } = view;
  switch (node.kind) {
    case 'files':
      return {
        ...noteOf(id, t('Files'), 'files'),
        description: snapshot.entry.projectDir ?? '',
        tooltip: [
          [t('Server'), node.server],
          [t('Folder'), snapshot.entry.projectDir ?? 'project_dir'],
        ],
        expands: 'closed',
        context: 'files listable',
      };
    case 'entry': {
      const entry = entryOf(snapshot, node);
      return entry === undefined
        ? noteOf(id, shownPath(node.path), 'circle-slash')
        : entryItem(id, { entry, path: node.path, projectDir: snapshot.entry.projectDir }, view);
    }
    case 'listing':
      return listingItem(id, snapshot.folder(node.server, node.path), view);
  }
}

function entryItem(
  id: string,
  {
    entry,
    path,
    projectDir,
  }: { readonly entry: ServerEntry; readonly path: string; readonly projectDir: string | undefined },
  { t, now, localTime }: View,
): Item {
  const { kind, target, size, changed } = entry;
  const date = changed === undefined ? undefined : new Date(changed).toISOString();
  const facts =
    target === undefined
      ? [
          ...(size === undefined ? [] : [formatBytes(size)]),
          ...(date === undefined ? [] : [formatAge(date, now, t)]),
        ]
      : [`→ ${shownPath(target)}`];
  const isLarge = size !== undefined && size > MOST_BYTES;
  return {
    id,
    label: shownPath(entry.name),
    description: facts.join(' · '),
    tooltip: [
      [t('Path'), `${projectDir ?? 'project_dir'}/${shownPath(path)}`],
      ...(target === undefined ? [] : [[t('Link to'), shownPath(target)] as const]),
      ...(size === undefined ? [] : [[t('Size'), formatBytes(size)] as const]),
      ...(date === undefined ? [] : [[t('Changed'), localTime(date)] as const]),
    ],
    icon: iconOf(entry),
    expands: kind === 'folder' ? 'closed' : 'no',
    context: ['entry', kind, ...(kind === 'folder' ? ['listable'] : []), ...(isLarge ? ['large'] : [])].join(
      ' ',
    ),
    ...(kind === 'file' ? { opens: { command: nodeCommands.openServerFile, title: t('Open') } } : {}),
    ...(target === undefined ? {} : { spoken: t('link') }),
  };
}

function iconOf({ kind, target, name }: ServerEntry): Icon {
  if (kind === 'other') return { codicon: target === undefined ? 'circle-outline' : 'warning' };
  if (target !== undefined)
    return { codicon: kind === 'folder' ? 'file-symlink-directory' : 'file-symlink-file' };
  return { fileNamed: shownPath(name), kind };
}

function listingItem(id: string, known: FolderKnown | undefined, view: View): Item {
  const { t } = view;
  // A folder that was open in an earlier window: nobody is asked before somebody clicks.
  if (known === undefined)
    return {
      ...noteOf(id, t('List This Folder'), 'refresh'),
      opens: { command: nodeCommands.listFolder, title: t('List This Folder') },
    };
  switch (known.kind) {
    case 'loading':
      return noteOf(id, t('Asking…'), 'loading~spin');
    case 'failed':
      return { ...failureOf(id, known.message, view), context: 'note' };
    case 'listed': {
      const { entries, total } = known.folder;
      return total === 0
        ? noteOf(id, t('Empty'), 'dash')
        : noteOf(id, t('and {0} more', total - entries.length), 'ellipsis');
    }
  }
}

function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
