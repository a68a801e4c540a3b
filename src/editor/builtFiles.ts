/**
 * What `before_deploy` made in a dry run, for as long as its review is open: copies in a folder of the editor's own, which the engine
 * fills (builtCopies.ts there). They may hold secrets, so nobody else may read them, and they are removed with the review. No `vscode` here.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUILT_INDEX, type BuiltCopy } from '../engine/source/buildOutput.ts';

export interface BuiltFiles {
  readonly folder: string;
  /** By path, relative to the tree that is sent: name of the copy in the folder; undefined where there is none to look at. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

/** A new folder for one dry run. @param parent made where it is missing. */
export async function makeBuiltFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  // mkdtemp makes it 0700.
  return mkdtemp(join(parent, 'run-'));
}

/** Without any file where the dry run kept none, as all is live already or there was no room. */
export async function readBuilt(folder: string): Promise<BuiltFiles> {
  const files = new Map<string, string | undefined>();
  try {
    const index: unknown = JSON.parse(await readFile(join(folder, BUILT_INDEX), 'utf8'));
    if (typeof index === 'object' && index !== null && 'files' in index && Array.isArray(index.files))
      for (const file of index.files) if (isCopy(file)) files.set(file.path, file.copy ?? undefined);
  } catch {
    // Nothing was kept.
  }
  return { folder, files };
}

/** Text of a copy; undefined where there is none. */
export async function readBuiltFile(
  { folder, files }: BuiltFiles,
  path: string,
): Promise<string | undefined> {
  const copy = files.get(path);
  if (copy === undefined) return undefined;
  return readFile(join(folder, copy), 'utf8').catch(() => undefined);
}

/** At once, as the window may be about to go. Never throws. */
export function removeBuilt(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // The next start of the extension tries again.
  }
}

function isCopy(value: unknown): value is BuiltCopy {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    typeof value.path === 'string' &&
    'copy' in value &&
    (value.copy === null || (typeof value.copy === 'string' && /^\d+$/.test(value.copy)))
  );
}
