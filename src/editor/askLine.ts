/** A line of text that the user types: a reason, a time, a name. */
import * as vscode from 'vscode';

export interface LineQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly value?: string;
  readonly placeholder?: string;
  /** What is wrong with it; undefined where nothing is. */
  readonly problemOf: (value: string) => string | undefined;
}

/** Undefined where it was cancelled. */
export function askLine({
  title,
  prompt,
  value = '',
  placeholder = '',
  problemOf,
}: LineQuestion): Promise<string | undefined> {
  const input = vscode.window.createInputBox();
  input.title = title;
  input.prompt = prompt;
  input.value = value;
  input.placeholder = placeholder;
  input.ignoreFocusOut = true;
  return new Promise((resolve) => {
    let accepted: string | undefined;
    input.onDidChangeValue(() => {
      input.validationMessage = undefined;
    });
    input.onDidAccept(() => {
      const text = input.value.trim();
      input.validationMessage = problemOf(text);
      if (input.validationMessage !== undefined) return;
      accepted = text;
      input.hide();
    });
    input.onDidHide(() => {
      input.dispose();
      resolve(accepted);
    });
    input.show();
  });
}
