/** A line of text that the user types: a reason, a time, a name. */
import * as vscode from 'vscode';

export interface LineQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly value?: string;
  readonly placeholder?: string;
  readonly masked?: boolean;
  /** What is wrong with it, '' where that needs no word; undefined where nothing is. */
  readonly problemOf: (value: string) => string | undefined;
  readonly toggle?: Toggle | undefined;
}

/** A button beside the line, for a choice of two. */
export interface Toggle {
  /** As it is now. */
  button(): vscode.QuickInputButton;
  press(): void;
}

/** Undefined where it was cancelled. */
export function askLine({
  title,
  prompt,
  value = '',
  placeholder = '',
  masked = false,
  problemOf,
  toggle,
}: LineQuestion): Promise<string | undefined> {
  const input = vscode.window.createInputBox();
  input.title = title;
  input.prompt = prompt;
  input.value = value;
  input.placeholder = placeholder;
  input.password = masked;
  input.ignoreFocusOut = true;
  if (toggle !== undefined) input.buttons = [toggle.button()];
  return new Promise((resolve) => {
    let accepted: string | undefined;
    input.onDidTriggerButton(() => {
      toggle?.press();
      if (toggle !== undefined) input.buttons = [toggle.button()];
    });
    input.onDidChangeValue(() => {
      input.validationMessage = undefined;
    });
    input.onDidAccept(() => {
      const text = input.value.trim();
      const problem = problemOf(text);
      input.validationMessage = problem;
      if (problem !== undefined) return;
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
