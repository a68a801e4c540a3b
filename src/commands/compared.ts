/** What the project is compared with: the one release that is live on a stage, and which file of it is which of the project. */
import { dirname, posix, relative, sep } from 'node:path';
import { liveOf, type ReleaseKnown, type StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';

export interface Compared {
  readonly stage: StageId;
  readonly live: ReleaseKnown;
}

/** The one release that is live on a stage, where it has a commit. */
export function comparedWith(app: App, stage: StageId): Compared | undefined {
  const live = liveOf(app.store.snapshot(stage)?.known);
  if (live.kind !== 'one' || live.record === undefined || live.record.commit === '') return undefined;
  return { stage, live: live.record };
}

/** A path of this machine as the tree that is sent has it; undefined where it is not part of that. Of the folder that is sent: empty. */
export function sentPath(app: App, stage: StageId, path: string): string | undefined {
  const below = relative(dirname(stage.file), path).replaceAll(sep, '/');
  const folder = app.store.snapshot(stage)?.entry.subDirectory ?? '';
  return pathBelow(posix.normalize(`${folder}/.`).replace(/\/$/, ''), below);
}

/** Pure. @param folder `.` or a normal relative path. */
export function pathBelow(folder: string, path: string): string | undefined {
  if (path === '..' || path.startsWith('../') || /^([A-Za-z]:)?\//.test(path)) return undefined;
  if (folder === '.' || folder === '') return path;
  if (path === folder) return '';
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}
