/** Passphrases, passwords and secrets that the user wanted remembered: in SecretStorage; their names, never values, in the global state. */
import type * as vscode from 'vscode';
import type { Translate } from '../format.ts';

export interface Secrets {
  readonly get: (name: string) => Promise<string | undefined>;
  readonly remember: (name: string, value: string) => Promise<void>;
  readonly forget: (name: string) => Promise<void>;
  readonly names: () => readonly string[];
}

/** The name that the login to a host of repositories is remembered by. */
export function gitLoginName(origin: string): string {
  return `git ${origin.toLowerCase()}`;
}

/** Such a name as people read it. */
export function secretLabel(name: string, t: Translate): string {
  const blank = name.indexOf(' ');
  const what = name.slice(blank + 1);
  switch (name.slice(0, blank)) {
    case 'passphrase':
      return t('Passphrase of {0}', what);
    case 'password':
      return t('Password of {0}', what);
    case 'secret':
      return t('Secret {0}', what);
    case 'git':
      return t('Login to {0}', what);
    default:
      return name;
  }
}

/** SecretStorage lists its keys only since VS Code 1.105, so an index is kept; other windows write it, too. */
const indexKey = 'durant.secretNames';

export function createSecrets(context: Pick<vscode.ExtensionContext, 'secrets' | 'globalState'>): Secrets {
  const names = (): readonly string[] => context.globalState.get<readonly string[]>(indexKey, []);
  const setNames = async (change: (now: readonly string[]) => readonly string[]): Promise<void> => {
    // Read again right before writing: another window may have added a name meanwhile.
    await context.globalState.update(indexKey, change(names()));
  };
  return {
    get: async (name) => context.secrets.get(name),
    remember: async (name, value) => {
      await setNames((now) => [...new Set([...now, name])].sort());
      await context.secrets.store(name, value);
    },
    forget: async (name) => {
      await context.secrets.delete(name);
      await setNames((now) => now.filter((other) => other !== name));
    },
    names,
  };
}
