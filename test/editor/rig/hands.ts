/**
 * What a user of the editor sees and answers, for suites that run inside it. Messages, picks and input boxes are taken over where the
 * extension calls `vscode.window`; everything behind that is real. The trees are the extension's own, read as the editor reads them.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from '../../support/wait.ts';

export interface Shown {
  readonly kind: 'information' | 'warning' | 'error' | 'pick' | 'input' | 'progress' | 'status' | 'browser';
  /** A message's text, a pick's placeholder, an input box's title. */
  readonly text: string;
  readonly detail: string;
  readonly modal: boolean;
  /** Buttons, or labels to pick from. */
  readonly choices: readonly string[];
  readonly masked: boolean;
}

interface Reply {
  readonly to: RegExp;
  /** A button or label; `text` is typed where it is an input box; undefined closes it. */
  readonly with: string | undefined;
  /** Input boxes: presses the button that remembers. */
  readonly remember: boolean;
}

interface CapturedTree {
  readonly provider: vscode.TreeDataProvider<unknown>;
  readonly view: vscode.TreeView<unknown>;
}

interface Memory {
  readonly shown: Shown[];
  readonly replies: Reply[];
  readonly trees: Map<string, CapturedTree>;
  readonly items: Map<string, vscode.StatusBarItem>;
  readonly tools: Map<string, vscode.LanguageModelTool<object>>;
}

/** Suites are bundled one by one; they share what the first of them took over, before the extension was activated. */
const memory = takeOver();

export const hands = {
  /** Everything that was shown since `forget`. */
  shown: (): readonly Shown[] => memory.shown,
  /** Answers the next question that matches. */
  reply: (to: RegExp, text: string | undefined, { remember = false } = {}): void => {
    memory.replies.push({ to, with: text, remember });
  },
  /** What the status bar says of runs; empty where it says nothing. */
  statusBar: (): string => memory.items.get('durant.run')?.text ?? '',
  /** A tool of agents, as VS Code has it: called directly it is one that VS Code was told to allow. */
  tool: (name: string): vscode.LanguageModelTool<object> => {
    const tool = memory.tools.get(name);
    assert.ok(tool, `The extension has not registered ${name}.`);
    return tool;
  },
  forget: (): void => {
    memory.shown.length = 0;
    memory.replies.length = 0;
  },
  /** Waits for a message, pick, box or word of the status bar that was shown since `forget`. */
  sees: (text: RegExp, timeoutMs = 60_000): Promise<Shown> =>
    waitFor(
      `${String(text)} to be shown`,
      () => memory.shown.find(({ kind, text: said }) => kind !== 'progress' && text.test(said)),
      timeoutMs,
    ).catch((error: unknown) => {
      const all = memory.shown.map((each) => `${each.kind}: ${each.text}`).join('\n');
      throw new Error(`${String(error)}\nThere was:\n${all}`);
    }),
};

export interface Row {
  readonly node: unknown;
  readonly label: string;
  readonly description: string;
  readonly context: string;
  readonly icon: string;
  readonly tooltip: string;
}

/** One of the extension's trees, by the id of its view. */
export function treeOf(view: string): {
  readonly rows: (parent?: Row) => Promise<readonly Row[]>;
  /** Waits for a row below `parent`, or at the root, whose label or `label description` matches. */
  readonly row: (text: RegExp, parent?: Row) => Promise<Row>;
  /** Opens a row as a click does. */
  readonly open: (row: Row) => Promise<void>;
  /** Every row, two spaces a level. */
  readonly text: () => Promise<string>;
  readonly view: () => vscode.TreeView<unknown>;
} {
  const captured = (): CapturedTree => {
    const tree = memory.trees.get(view);
    assert.ok(tree, `The extension has not made ${view} yet.`);
    return tree;
  };
  const rowOf = async (node: unknown): Promise<Row> => {
    const item = await captured().provider.getTreeItem(node);
    const { label, description, contextValue, iconPath, tooltip } = item;
    return {
      node,
      label: typeof label === 'string' ? label : (label?.label ?? ''),
      description: typeof description === 'string' ? description : '',
      context: contextValue ?? '',
      icon: iconPath instanceof vscode.ThemeIcon ? iconPath.id : JSON.stringify(iconPath ?? ''),
      tooltip: typeof tooltip === 'string' ? tooltip : (tooltip?.value ?? ''),
    };
  };
  const rows = async (parent?: Row): Promise<readonly Row[]> => {
    const nodes = await captured().provider.getChildren(parent?.node);
    return Promise.all([...(nodes ?? [])].map(rowOf));
  };
  const textBelow = async (parent: Row | undefined, indent: string): Promise<string> => {
    const below = await rows(parent);
    const parts = await Promise.all(
      below.map(
        async (row) => `${indent}${row.label} [${row.description}]\n${await textBelow(row, `${indent}  `)}`,
      ),
    );
    return parts.join('');
  };
  return {
    rows,
    row: (text, parent) =>
      waitFor(
        `a row like ${String(text)}`,
        async () => {
          if (!memory.trees.has(view)) return undefined;
          return (await rows(parent)).find(({ label, description }) => text.test(`${label} ${description}`));
        },
        60_000,
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await textBelow(undefined, '')}`);
      }),
    // VS Code refuses while it draws the tree anew: "Cannot resolve tree item". A person's click has no such moment.
    open: async ({ node }) => {
      let refusal: unknown;
      await waitFor('the tree to be drawn', async () => {
        try {
          await captured().view.reveal(node, { expand: true, select: true });
          return true;
        } catch (error) {
          refusal = error;
          return undefined;
        }
      }).catch(() => {
        throw refusal;
      });
    },
    text: () => textBelow(undefined, ''),
    view: () => captured().view,
  };
}

export const stages = treeOf('durant.stages');
export const review = treeOf('durant.review');

/** What the output channel shows, once it shows `text`. */
export async function output(text: RegExp): Promise<string> {
  await vscode.commands.executeCommand('durant.showOutput');
  const shown = (): readonly string[] =>
    vscode.workspace.textDocuments
      .filter(({ uri }) => uri.scheme === 'output')
      .map((document) => document.getText());
  return waitFor(
    `${String(text)} in the output`,
    () => shown().find((each) => text.test(each)),
    60_000,
  ).catch((error: unknown) => {
    throw new Error([String(error), ...shown().map((each) => each.slice(-500))].join('\n…'));
  });
}

function takeOver(): Memory {
  const key = Symbol.for('durant.test.hands');
  const before: unknown = Reflect.get(globalThis, key);
  if (before !== undefined) return before as Memory;
  const { window, env, lm } = extensionsApi();
  const own: Memory = { shown: [], replies: [], trees: new Map(), items: new Map(), tools: new Map() };
  Reflect.set(globalThis, key, own);

  const replyTo = (shown: Shown): Reply | undefined => {
    own.shown.push(shown);
    const index = own.replies.findIndex(({ to }) => to.test(shown.text));
    return index === -1 ? undefined : own.replies.splice(index, 1)[0];
  };
  for (const [kind, name] of [
    ['information', 'showInformationMessage'],
    ['warning', 'showWarningMessage'],
    ['error', 'showErrorMessage'],
  ] as const)
    Reflect.set(window, name, (text: string, ...rest: readonly unknown[]) => {
      const choices = rest.filter((each) => typeof each === 'string');
      const options = rest.find((each) => typeof each === 'object' && each !== null) as
        vscode.MessageOptions | undefined;
      const { detail = '', modal = false } = options ?? {};
      const reply = replyTo({ kind, text, detail, modal, choices, masked: false });
      if (reply?.with !== undefined)
        assert.ok(choices.includes(reply.with), `No button "${reply.with}" among ${choices.join()}`);
      return Promise.resolve(reply?.with);
    });
  Reflect.set(
    window,
    'showQuickPick',
    async (given: readonly vscode.QuickPickItem[], options?: vscode.QuickPickOptions) => {
      const items = await given;
      const reply = replyTo({
        kind: 'pick',
        text: options?.placeHolder ?? '',
        detail: items.map(({ description, detail }) => `${description ?? ''} ${detail ?? ''}`).join('\n'),
        modal: false,
        choices: items.map(({ label }) => label),
        masked: false,
      });
      const picked = items.find(({ label }) => label === reply?.with);
      return options?.canPickMany === true && picked !== undefined ? [picked] : picked;
    },
  );
  Reflect.set(window, 'createInputBox', () => inputBox(replyTo));
  const status = window.setStatusBarMessage;
  Reflect.set(window, 'setStatusBarMessage', (text: string, ms: number) => {
    own.shown.push({ kind: 'status', text, detail: '', modal: false, choices: [], masked: false });
    return status(text, ms);
  });
  Reflect.set(env, 'openExternal', (uri: vscode.Uri) => {
    const text = uri.toString(true);
    own.shown.push({ kind: 'browser', text, detail: '', modal: false, choices: [], masked: false });
    return Promise.resolve(true);
  });
  const withProgress = window.withProgress;
  Reflect.set(
    window,
    'withProgress',
    (options: vscode.ProgressOptions, task: Parameters<typeof withProgress>[1]) =>
      withProgress(options, (progress, token) =>
        task(
          {
            report: (value) => {
              const message =
                typeof value === 'object' && value !== null && 'message' in value ? value.message : '';
              own.shown.push({
                kind: 'progress',
                text: `${options.title ?? ''}: ${String(message)}`,
                detail: '',
                modal: false,
                choices: options.cancellable === true ? ['Cancel'] : [],
                masked: false,
              });
              progress.report(value);
            },
          },
          token,
        ),
      ),
  );
  const createStatusBarItem = window.createStatusBarItem as (
    ...given: readonly unknown[]
  ) => vscode.StatusBarItem;
  Reflect.set(window, 'createStatusBarItem', (...given: readonly unknown[]) => {
    const item = createStatusBarItem(...given);
    own.items.set(item.id, item);
    return item;
  });
  const registerTool = lm.registerTool;
  Reflect.set(lm, 'registerTool', (name: string, tool: vscode.LanguageModelTool<object>) => {
    own.tools.set(name, tool);
    return registerTool(name, tool);
  });
  const createTreeView = window.createTreeView;
  Reflect.set(window, 'createTreeView', (id: string, options: vscode.TreeViewOptions<unknown>) => {
    const view = createTreeView(id, options);
    own.trees.set(id, { provider: options.treeDataProvider, view });
    return view;
  });
  return own;
}

/** The API object that the extension has: VS Code gives each extension its own, by the path of whoever requires it. */
function extensionsApi(): typeof vscode {
  const extension = vscode.extensions.getExtension('durant.durant');
  assert.ok(extension !== undefined && !extension.isActive);
  return createRequire(join(extension.extensionPath, 'dist', 'extension.cjs'))('vscode') as typeof vscode;
}

/** An input box that answers itself. */
function inputBox(replyTo: (shown: Shown) => Reply | undefined): object {
  const accepted = new vscode.EventEmitter<void>();
  const hidden = new vscode.EventEmitter<void>();
  const changed = new vscode.EventEmitter<string>();
  const pressed = new vscode.EventEmitter<vscode.QuickInputButton>();
  let isOpen = false;
  const box = {
    title: '',
    prompt: '',
    value: '',
    password: false,
    ignoreFocusOut: false,
    validationMessage: undefined as string | undefined,
    buttons: [] as readonly vscode.QuickInputButton[],
    onDidAccept: accepted.event,
    onDidHide: hidden.event,
    onDidChangeValue: changed.event,
    onDidTriggerButton: pressed.event,
    show: () => {
      isOpen = true;
      const reply = replyTo({
        kind: 'input',
        text: box.title,
        detail: [box.prompt, box.validationMessage ?? ''].join('\n'),
        modal: false,
        choices: box.buttons.map(({ tooltip }) => tooltip ?? ''),
        masked: box.password,
      });
      const [button] = box.buttons;
      if (reply?.remember === true && button !== undefined) pressed.fire(button);
      if (reply?.with === undefined) {
        box.hide();
        return;
      }
      box.value = reply.with;
      changed.fire(box.value);
      accepted.fire();
    },
    hide: () => {
      if (!isOpen) return;
      isOpen = false;
      hidden.fire();
    },
    dispose: () => undefined,
  };
  return box;
}
