/**
 * Sign In… to a host of repositories: VS Code's own account for GitHub, else a user and a token. What VS Code's git asks for is its own: no
 * extension can ask it for what it remembers. The login is in SecretStorage alone, and git is told by its credential helper.
 */
import * as vscode from 'vscode';
import type { Login } from '../git/port.ts';
import { askLine } from '../editor/askLine.ts';
import { gitLoginName } from '../editor/secrets.ts';
import type { App } from './commandContext.ts';

/** @param origin `https://host[:port]`. @returns whether there is a login now. */
export async function signIn(app: App, origin: string): Promise<boolean> {
  const login = /^https:\/\/github\.com$/i.test(origin) ? await gitHubLogin(origin) : await askLogin(origin);
  if (login === undefined) return false;
  await app.secrets.remember(gitLoginName(origin), JSON.stringify(login));
  return true;
}

/** The scope is that with which VS Code's git logs in. Without an account, or where there is no such provider, a token is asked for. */
async function gitHubLogin(origin: string): Promise<Login | undefined> {
  try {
    const session = await vscode.authentication.getSession('github', ['repo'], { createIfNone: true });
    return { user: session.account.label, password: session.accessToken };
  } catch {
    return askLogin(origin);
  }
}

async function askLogin(origin: string): Promise<Login | undefined> {
  const { t } = vscode.l10n;
  const host = origin.replace(/^https?:\/\//i, '');
  const title = t('Sign in to {0}', host);
  const problemOf = (text: string): string | undefined => (text === '' ? '' : undefined);
  const user = await askLine({ title, prompt: t('User at {0}', host), problemOf });
  if (user === undefined) return undefined;
  const password = await askLine({
    title,
    prompt: t('Access token or password of {0}. VS Code’s secret storage keeps it.', user),
    masked: true,
    problemOf,
  });
  return password === undefined ? undefined : { user, password };
}
