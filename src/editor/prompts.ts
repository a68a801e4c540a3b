/** Questions of the engine, asked in the editor. */
import * as vscode from 'vscode';
import type { LockRecord } from '../engine/index.ts';
import type { PromptRequest } from '../remote/target.ts';
import type { Answer } from '../engineProcess/client.ts';
import type { LeftOut, Question } from '../engineProcess/protocol.ts';
import { formatAge } from '../format.ts';
import { printable } from '../printable.ts';
import { secretName, type Rememberable } from '../engineProcess/acceptance.ts';
import { gitLoginName, secretLabel, type Secrets } from './secrets.ts';

type Asked<K extends PromptRequest['kind']> = Extract<PromptRequest, { kind: K }>;

const { t } = vscode.l10n;

/** What a confirmation is about. */
export interface Confirmation {
  /** What is asked: `Roll back production?` What the engine says of it stands below. */
  readonly question?: string;
  /** What the button does: `Deploy to production`. */
  readonly button: string;
  /** Said above the commits it is about: `These commits go live:`. */
  readonly commits: string;
  /** Asks for the name in words instead of by a button: this is said below the box. */
  readonly typed?: string;
}

/**
 * Asks the user, one question after the other: servers ask at once, and a no to the first may make the others pointless, which an open
 * dialog could not be told. Without a confirmation there is nothing to confirm.
 */
export function createAnswer(secrets: Secrets, confirmation?: Confirmation): Answer {
  let last: Promise<unknown> = Promise.resolve();
  let refused = false;
  return (question, signal, accepted) => {
    const asked = last.then(async () => {
      // In a run, whoever does not trust one server is not asked about the others: none of them is changed any more.
      if (signal.aborted || (refused && confirmation !== undefined)) return undefined;
      const given = await answer({ question, accepted }, secrets, confirmation, signal);
      refused ||= given === undefined && question.kind === 'host-key';
      return given;
    });
    // What went wrong with one question is told to whoever asked it.
    last = asked.catch(() => undefined).then(settle);
    return asked;
  };
}

/** For what asks nobody: answers only what is remembered of repositories. */
export function rememberedAnswer(secrets: Secrets): Answer {
  return async (question) =>
    question.kind === 'git-login' ? secrets.get(gitLoginName(question.origin)) : undefined;
}

/** A no takes a moment to reach the engine and come back as the other questions' withdrawal. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 150));
}

function answer(
  { question, accepted }: { readonly question: Question; readonly accepted: Promise<boolean> },
  secrets: Secrets,
  confirmation: Confirmation | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (question.kind) {
    case 'host-key':
      return askHostKey(question, signal);
    case 'passphrase':
    case 'password':
    case 'secret':
      return askSecret(question, secrets, accepted, signal);
    case 'one-time-code':
      return askText({ ...textOf(question), masked: !question.echo, signal });
    case 'confirm':
      return askConfirmation(question, confirmation, signal);
    case 'unlock':
      return askUnlock(question.server, question.lock, signal);
    case 'git-login':
      return secrets.get(gitLoginName(question.origin));
    case 'left-out':
      return askLeftOut(question.leftOut, signal);
  }
}

async function askHostKey(question: Asked<'host-key'>, signal: AbortSignal): Promise<string | undefined> {
  const accept = t('Trust This Server');
  const detail = [
    t('{0} key: {1}', question.keyType, question.fingerprint),
    t('Compare it with what the server or its provider shows. A trusted key is added to known_hosts.'),
  ].join('\n\n');
  const title = t('The server {0} is not known yet. Is this its key?', question.server);
  return (await askModal(title, detail, [accept], signal)) === accept ? 'yes' : undefined;
}

async function askConfirmation(
  question: Asked<'confirm'>,
  confirmation: Confirmation | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const button = confirmation?.button ?? t('Continue');
  if (confirmation?.typed !== undefined && question.expect !== undefined)
    return askText({
      title: confirmation.question ?? confirmation.button,
      prompt: confirmation.typed,
      masked: false,
      signal,
    });
  const commits = (question.commits ?? []).map((commit) => `• ${printable(commit)}`);
  // The name is typed on a command line; here the button says it.
  const { why, what } = question.parts ?? { why: '', what: question.message };
  const list = commits.length === 0 ? [] : [[confirmation?.commits ?? '', ...commits].join('\n')];
  const chosen =
    confirmation?.question === undefined
      ? await askModal([why, what].join(' ').trim(), list.join('\n\n'), [button], signal)
      : await askModal(confirmation.question, [what, ...list].join('\n\n'), [button], signal);
  return chosen === button ? (question.expect ?? 'yes') : undefined;
}

async function askUnlock(server: string, lock: LockRecord, signal: AbortSignal): Promise<string | undefined> {
  const button = t('Unlock');
  const holder = t(
    '{0}@{1} holds it for a {2} that began {3}.',
    lock.user,
    lock.host,
    lock.action,
    formatAge(lock.started, Date.now(), t),
  );
  const detail = [
    lock.message === '' ? holder : `${holder} “${printable(lock.message)}”`,
    t('Removing the lock of a run that is still at work can break its release.'),
  ].join('\n\n');
  const chosen = await askModal(t('Remove the lock on {0}?', server), detail, [button], signal);
  return chosen === button ? 'yes' : undefined;
}

/** What is left out is listed, and can be looked at, committed or pushed first: then this deploy is not gone on with. */
async function askLeftOut(
  { files, unpushed, branch }: LeftOut,
  signal: AbortSignal,
): Promise<string | undefined> {
  const states: Readonly<Record<LeftOut['files'][number]['state'], string>> = {
    unsaved: t('not saved'),
    changed: t('not committed'),
    untracked: t('not tracked'),
  };
  const lines = [
    ...shortened(files.map(({ path, state }) => `• ${printable(path)} — ${states[state]}`)),
    ...shortened(unpushed.map((commit) => `• ${printable(commit)} — ${t('not pushed')}`)),
  ];
  const commit = t('Commit…');
  const push = t('Push');
  const show = t('Show Changes');
  const deploy = t('Deploy Anyway');
  const chosen = await askModal(
    t('Some of your work on {0} would not be part of this deploy.', branch),
    lines.join('\n'),
    [
      ...(files.length > 0 ? [commit] : []),
      ...(unpushed.length > 0 ? [push] : []),
      ...(files.length > 0 ? [show] : []),
      deploy,
    ],
    signal,
  );
  switch (chosen) {
    case commit:
      await vscode.workspace.saveAll(false);
      await vscode.commands.executeCommand('workbench.view.scm');
      return undefined;
    case push:
      void vscode.commands.executeCommand('git.push');
      return undefined;
    case show:
      void vscode.commands.executeCommand('git.openAllChanges');
      return undefined;
    case deploy:
      return 'yes';
    default:
      return undefined;
  }
}

/** More than a dialog has room for are counted. */
function shortened(lines: readonly string[]): readonly string[] {
  const most = 12;
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most), t('… and {0} more', lines.length - most)];
}

/** A modal question; undefined where it was cancelled or nobody waits for the answer any more. */
async function askModal(
  message: string,
  detail: string,
  buttons: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signal.aborted) return undefined;
  const chosen = vscode.window.showWarningMessage(message, { modal: true, detail }, ...buttons);
  return Promise.race([Promise.resolve(chosen), aborted(signal)]);
}

async function askSecret(
  question: Rememberable,
  secrets: Secrets,
  accepted: Promise<boolean>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = secretName(question);
  const first = question.kind === 'secret' || question.attempt <= 1;
  if (first) {
    const known = await secrets.get(name);
    if (known !== undefined) return known;
  } else await secrets.forget(name); // What was remembered did not open it.
  return askText({
    ...textOf(question),
    masked: true,
    signal,
    // Not before it is known to be right: nobody asks again after the last wrong answer.
    remember: (value) =>
      void accepted.then(async (wasRight) => {
        if (wasRight) await secrets.remember(name, value);
      }),
    ...(first ? {} : { refused: t('That was not right. Try again.') }),
  });
}

function textOf(question: Rememberable | Asked<'one-time-code'>): {
  readonly title: string;
  readonly prompt: string;
} {
  if (question.kind === 'one-time-code')
    return { title: t('{0} asks', question.server), prompt: printable(question.message) };
  return {
    title: secretLabel(secretName(question), t),
    prompt: question.server === null ? '' : t('For {0}', question.server),
  };
}

interface TextQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly masked: boolean;
  readonly signal: AbortSignal;
  /** Told the answer that the user wants to be remembered. Without it there is no such offer. */
  readonly remember?: (value: string) => void;
  /** Why it is asked again. */
  readonly refused?: string;
}

function askText(question: TextQuestion): Promise<string | undefined> {
  const { signal, remember } = question;
  if (signal.aborted) return Promise.resolve(undefined);
  const input = vscode.window.createInputBox();
  const off: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('circle-large-outline'),
    tooltip: t('Not remembered. Remember it in VS Code’s secret storage'),
  };
  const on: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('pass-filled'),
    tooltip: t('Will be remembered in VS Code’s secret storage. Do not remember it'),
  };
  input.title = question.title;
  input.prompt = question.prompt;
  input.password = question.masked;
  input.ignoreFocusOut = true;
  if (remember !== undefined) input.buttons = [off];
  if (question.refused !== undefined) input.validationMessage = question.refused;
  return new Promise((resolve) => {
    const hide = (): void => {
      input.hide();
    };
    signal.addEventListener('abort', hide, { once: true });
    let accepted: string | undefined;
    input.onDidTriggerButton((button) => {
      input.buttons = [button === off ? on : off];
    });
    input.onDidChangeValue(() => {
      input.validationMessage = undefined;
    });
    input.onDidAccept(() => {
      accepted = input.value;
      input.hide();
    });
    input.onDidHide(() => {
      signal.removeEventListener('abort', hide);
      const wanted = input.buttons[0] === on;
      input.dispose();
      if (accepted !== undefined && wanted) remember?.(accepted);
      resolve(accepted);
    });
    input.show();
  });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve(undefined);
      },
      { once: true },
    );
  });
}
