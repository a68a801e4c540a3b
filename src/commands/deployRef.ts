/** Deploy Commit or Branch…: something else than the stage's branch. */
import * as vscode from 'vscode';
import type { Candidates } from '../engineProcess/protocol.ts';
import { formatAge, shortCommit } from '../format.ts';
import type { StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { deployStage } from './deploy.ts';
import { pickStage } from './pickStage.ts';

export async function deployRef(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to deploy to'));
  if (stage === undefined) return;
  const ref = await pickRef(app, stage);
  if (ref !== undefined) await deployStage(app, { stage, ref });
}

type RefItem = vscode.QuickPickItem & { readonly ref?: string };

function pickRef(app: App, stage: StageId): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick<RefItem>();
  pick.title = vscode.l10n.t('Deploy to {0}', stage.stage);
  pick.placeholder = vscode.l10n.t('A branch, tag or commit; type any other');
  pick.matchOnDescription = true;
  pick.busy = true;
  const stop = new AbortController();
  let known: readonly RefItem[] = [];
  const show = (): void => {
    const typed = pick.value.trim();
    const own: RefItem[] =
      typed === '' || known.some(({ ref }) => ref === typed)
        ? []
        : [{ label: typed, ref: typed, description: vscode.l10n.t('as typed'), alwaysShow: true }];
    pick.items = [...known, ...own];
  };
  app.engine.call('candidates', { ...stage, servers: [] }, { signal: stop.signal }).then(
    (candidates) => {
      known = itemsOf(candidates);
      pick.busy = false;
      show();
    },
    (error: unknown) => {
      // What there is to choose from is an offer; any name can be typed.
      pick.busy = false;
      if (!stop.signal.aborted) app.log.warn(String(error));
    },
  );
  return new Promise((resolve) => {
    let ref: string | undefined;
    pick.onDidChangeValue(show);
    pick.onDidAccept(() => {
      ref = pick.selectedItems[0]?.ref;
      pick.hide();
    });
    pick.onDidHide(() => {
      stop.abort();
      pick.dispose();
      resolve(ref);
    });
    pick.show();
  });
}

function itemsOf({ branches, tags, commits }: Candidates): readonly RefItem[] {
  const group = (label: string): RefItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const names = (refs: readonly string[], icon: string): readonly RefItem[] =>
    refs.map((ref) => ({ label: ref, ref, iconPath: new vscode.ThemeIcon(icon) }));
  return [
    group(vscode.l10n.t('Branches')),
    ...names(branches, 'git-branch'),
    group(vscode.l10n.t('Tags')),
    ...names(tags, 'tag'),
    group(vscode.l10n.t('Commits')),
    ...commits.map(({ id, subject, author, date }) => ({
      label: `${shortCommit(id)} ${subject}`,
      description: `${author.replace(/ <.*/, '')}, ${formatAge(new Date(date).toISOString(), Date.now(), vscode.l10n.t)}`,
      ref: id,
      iconPath: new vscode.ThemeIcon('git-commit'),
    })),
  ];
}
