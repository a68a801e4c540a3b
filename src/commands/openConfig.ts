/** Open Configuration: durant.conf at the stage, at a key of it, or at the first error. */
import * as vscode from 'vscode';
import type { ConfDocument } from '../config/syntax/document.ts';
import { parseConf } from '../config/syntax/parse.ts';
import { findNamed } from '../config/syntax/sections.ts';
import { resolveStage, stageNames } from '../config/values/stage.ts';
import { validate } from '../config/rules/validate.ts';
import type { App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

/** @param argument a stage, which may name a `key`. */
export async function openConfig(app: App, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to open'));
  if (stage === undefined) return;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(stage.file));
  const offset = placeOf(parseConf(document.getText()), stage.stage, keyOf(argument));
  const position = document.positionAt(offset);
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(position, position) });
}

function placeOf(doc: ConfDocument, stage: string, key: string | undefined): number {
  if (!stageNames(doc).includes(stage)) return doc.problems[0]?.range.start ?? 0;
  const { section, values } = resolveStage(doc, stage);
  const option = key === undefined ? undefined : values.get(key)?.option;
  const error =
    key === undefined ? validate(doc, stage).find(({ severity }) => severity === 'error') : undefined;
  const goal = key === undefined ? undefined : findNamed(doc, 'goal', key)?.headers[0];
  return (
    option?.keyRange.start ?? goal?.range.start ?? error?.range.start ?? section.headers[0]?.range.start ?? 0
  );
}

function keyOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null || !('key' in argument)) return undefined;
  return typeof argument.key === 'string' ? argument.key : undefined;
}
