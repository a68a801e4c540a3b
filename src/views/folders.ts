/** What is known of folders on servers, by the key of their stage. Not remembered between windows. */
import type { ServerFolder } from '../engine/index.ts';

/** That it is being listed, what it had, or why it could not be listed. */
export type FolderKnown =
  | { readonly kind: 'loading' }
  | { readonly kind: 'listed'; readonly folder: ServerFolder }
  | { readonly kind: 'failed'; readonly message: string };

export interface Folders {
  /** @param path relative to project_dir, bytes as latin1 characters. */
  readonly get: (stage: string, server: string, path: string) => FolderKnown | undefined;
  readonly set: (stage: string, server: string, path: string, known: FolderKnown) => void;
  /** All of a server. */
  readonly forget: (stage: string, server: string) => void;
}

export function createFolders(): Folders {
  const all = new Map<string, Map<string, FolderKnown>>();
  const keyOf = (stage: string, server: string): string => `${stage}\0${server}`;
  return {
    get: (stage, server, path) => all.get(keyOf(stage, server))?.get(path),
    set: (stage, server, path, known) => {
      const key = keyOf(stage, server);
      all.set(key, (all.get(key) ?? new Map<string, FolderKnown>()).set(path, known));
    },
    forget: (stage, server) => {
      all.delete(keyOf(stage, server));
    },
  };
}
