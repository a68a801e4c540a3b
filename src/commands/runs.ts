/** The runs of this window: one at a time for each stage. The status bar shows the newest. */
import * as vscode from 'vscode';
import { commands, contextKeys } from '../editor/ids.ts';
import { currentWord } from '../editor/stepWords.ts';
import { percentOf, type RunProgress } from '../report/progress.ts';
import { stageKey, type StageId } from '../views/store.ts';

export interface Runs extends vscode.Disposable {
  readonly active: () => readonly StageId[];
  /**
   * @param name that the status bar calls it by.
   * @returns undefined where the stage already has a run in progress.
   */
  readonly begin: (stage: StageId, name: string) => ActiveRun | undefined;
  readonly cancel: (stage: StageId) => void;
  /** Cancels the run that is on now, whenever it is called; another one that began meanwhile goes on. */
  readonly canceller: (stage: StageId) => () => void;
}

export interface ActiveRun {
  readonly signal: AbortSignal;
  readonly cancel: () => void;
  readonly progress: (progress: RunProgress) => void;
  /** @param outcome what the status bar says from now on; `icon` is a codicon. */
  readonly end: (outcome: { readonly icon: string; readonly text: string }) => void;
}

/** How long the status bar keeps saying how a run ended, ms. */
const rememberedMs = 10 * 60_000;

export function createRuns(): Runs {
  const active = new Map<string, { readonly stage: StageId; readonly controller: AbortController }>();
  const status = vscode.window.createStatusBarItem('durant.run', vscode.StatusBarAlignment.Left);
  let timer: NodeJS.Timeout | undefined;
  status.name = vscode.l10n.t('Durant Runs');

  const setKey = (): void => {
    void vscode.commands.executeCommand('setContext', contextKeys.running, active.size > 0);
  };
  const show = (text: string, tooltip: string): void => {
    clearTimeout(timer);
    status.text = text;
    status.tooltip = tooltip;
    status.command = commands.showOutput;
    status.accessibilityInformation = { label: text.replaceAll(/\$\([^)]*\)\s*/g, '') };
    status.show();
  };

  return {
    active: () => [...active.values()].map(({ stage }) => stage),
    begin: (stage, name) => {
      const key = stageKey(stage);
      if (active.has(key)) return undefined;
      const controller = new AbortController();
      active.set(key, { stage, controller });
      setKey();
      show(`$(sync~spin) ${name}`, vscode.l10n.t('Durant: Show Output'));
      return {
        signal: controller.signal,
        cancel: () => {
          controller.abort();
        },
        progress: (progress) => {
          const step = currentWord(progress, vscode.l10n.t);
          const percent = `${String(percentOf(progress))} %`;
          show(
            `$(sync~spin) ${name}: ${step === '' ? percent : `${step} ${percent}`}`,
            vscode.l10n.t('Durant: Show Output'),
          );
        },
        end: ({ icon, text }) => {
          active.delete(key);
          setKey();
          show(`$(${icon}) ${text}`, vscode.l10n.t('Durant: Show Output'));
          timer = setTimeout(() => {
            status.hide();
          }, rememberedMs);
        },
      };
    },
    cancel: (stage) => {
      active.get(stageKey(stage))?.controller.abort();
    },
    canceller: (stage) => {
      const run = active.get(stageKey(stage));
      return () => run?.controller.abort();
    },
    dispose: () => {
      clearTimeout(timer);
      for (const { controller } of active.values()) controller.abort();
      status.dispose();
    },
  };
}
