/** The user's folders and the environment, as the engine is given them. Light: the editor itself imports it. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The same folders as the command line's, so that either front end knows the other's interrupted runs. XDG Base Directory specification. */
export function durantFolders(env: Environment): { readonly cacheDir: string; readonly stateDir: string } {
  const home = homedir();
  const under = (base: string | undefined, otherwise: string): string =>
    join(base !== undefined && base !== '' ? base : otherwise, 'durant');
  if (process.platform === 'win32') {
    const local = under(env['LOCALAPPDATA'], join(home, 'AppData', 'Local'));
    return { cacheDir: join(local, 'cache'), stateDir: join(local, 'state') };
  }
  const caches = process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache'];
  return {
    cacheDir: under(env['XDG_CACHE_HOME'], join(home, ...caches)),
    stateDir: under(env['XDG_STATE_HOME'], join(home, '.local', 'state')),
  };
}

/** Without the editor's own variables, which would turn programs that Durant starts into something else. */
export function cleanEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || /^(VSCODE_|ELECTRON_|APPLICATION_INSIGHTS_)/.test(name) ? [] : [[name, value]],
    ),
  );
}
