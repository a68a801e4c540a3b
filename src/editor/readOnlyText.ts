/** Texts that are there to be read and copied, as documents that nobody can change: a script, a list, a report. */
import * as vscode from 'vscode';
import { schemes } from './ids.ts';

export interface ReadOnlyTexts extends vscode.Disposable {
  /** @param name of the file; its ending says what language it is in. Of two with the same name the later one is there. */
  readonly show: (name: string, text: string) => Promise<void>;
}

export function createReadOnlyTexts(): ReadOnlyTexts {
  const texts = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const subscription = vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(schemes.text, {
      onDidChange: changed.event,
      // After a reload of the window nobody knows it any more.
      provideTextDocumentContent: ({ path }) =>
        texts.get(path) ?? vscode.l10n.t('This is not known any more. Run the command again.'),
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === schemes.text) texts.delete(uri.path);
    }),
  );
  return {
    show: async (name, text) => {
      const uri = vscode.Uri.from({ scheme: schemes.text, path: `/${name.replaceAll('/', ' ')}` });
      texts.set(uri.path, text);
      changed.fire(uri);
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
    },
    dispose: () => {
      subscription.dispose();
    },
  };
}
