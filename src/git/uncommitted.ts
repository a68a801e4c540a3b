/** Work that lies in a repository of this machine and is in no commit, so that no deploy sends it. Only read. */
import { basename } from 'node:path';
import { gitTextIfAny, type GitContext } from './gitProcess.ts';
import { configName } from '../config/syntax/document.ts';

export interface UncommittedFile {
  /** Relative to the repository's top folder. */
  readonly path: string;
  readonly state: 'changed' | 'untracked';
}

/** Files that differ from HEAD, and those that are neither tracked nor ignored; none where there is no work tree. */
export async function uncommittedFiles(
  context: GitContext,
  directory: string,
): Promise<readonly UncommittedFile[]> {
  const status = await gitTextIfAny(
    { ...context, env: { ...context.env, GIT_OPTIONAL_LOCKS: '0' } },
    {
      directory,
      args: ['status', '--porcelain=v1', '-z', '--ignore-submodules=dirty'],
      env: { GIT_CEILING_DIRECTORIES: '' },
    },
  );
  const records = (status ?? '').split('\0');
  const files: UncommittedFile[] = [];
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? '';
    if (record === '') continue;
    const path = record.slice(3);
    // The old path of a rename follows as a record of its own.
    if (/^[RC]/.test(record)) index += 1;
    if (isWork(path)) files.push({ path, state: record.startsWith('??') ? 'untracked' : 'changed' });
  }
  return files;
}

/** durant.conf itself is never sent, and what the editor keeps of the workspace is not work. */
export function isWork(path: string): boolean {
  return basename(path) !== configName && !/(^|\/)\.vscode\//.test(path);
}
