/**
 * Files of servers as read-only documents, by what was fetched when the user asked for them. Nothing is fetched here: a window that is loaded
 * again, or a tab that comes to the front, connects to nobody.
 */
import * as vscode from 'vscode';
import { schemes } from './ids.ts';

/** What names such a document. */
export interface ServerFilePlace {
  /** Path of durant.conf. */
  readonly file: string;
  readonly stage: string;
  readonly server: string;
  /** For people, as it lies on the server. */
  readonly path: string;
  /** Only its end. */
  readonly part: 'all' | 'end';
}

export interface ServerDocuments extends vscode.Disposable {
  /** In place of what was fetched of it before, also where it is open. */
  readonly set: (place: ServerFilePlace, contents: Uint8Array) => vscode.Uri;
}

/** More files than this are not kept; the one that was fetched first goes first. */
const keptFiles = 50;

export function createServerDocuments(): ServerDocuments {
  const known = new Map<string, { readonly contents: Uint8Array; readonly fetched: number }>();
  const changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const refuse = (): never => {
    throw vscode.FileSystemError.NoPermissions(
      vscode.l10n.t('What lies on a server cannot be changed here.'),
    );
  };
  const get = (uri: vscode.Uri): { readonly contents: Uint8Array; readonly fetched: number } => {
    const found = known.get(uri.toString());
    if (found === undefined)
      throw vscode.FileSystemError.Unavailable(
        vscode.l10n.t('It was fetched in an earlier window. Open it again from Files in the Durant view.'),
      );
    return found;
  };
  const registered = vscode.Disposable.from(
    changed,
    vscode.workspace.registerFileSystemProvider(
      schemes.server,
      {
        onDidChangeFile: changed.event,
        watch: () => ({ dispose: () => undefined }),
        stat: (uri) => {
          const { contents, fetched } = get(uri);
          return {
            type: vscode.FileType.File,
            ctime: fetched,
            mtime: fetched,
            size: contents.length,
            permissions: vscode.FilePermission.Readonly,
          };
        },
        readFile: (uri) => get(uri).contents,
        readDirectory: () => [],
        createDirectory: refuse,
        writeFile: refuse,
        delete: refuse,
        rename: refuse,
      },
      { isReadonly: true, isCaseSensitive: true },
    ),
  );
  return {
    set: (place, contents) => {
      const uri = uriOf(place);
      const key = uri.toString();
      const isNew = !known.delete(key);
      known.set(key, { contents, fetched: Date.now() });
      const [oldest] = known.keys();
      if (known.size > keptFiles && oldest !== undefined) known.delete(oldest);
      if (!isNew) changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
      return uri;
    },
    dispose: () => {
      registered.dispose();
    },
  };
}

/** The path ends as the file's does, which says what language it is in. */
function uriOf({ file, stage, server, path, part }: ServerFilePlace): vscode.Uri {
  return vscode.Uri.from({
    scheme: schemes.server,
    path: `/${server}/${path}`,
    query: JSON.stringify({ file, stage, part }),
  });
}
