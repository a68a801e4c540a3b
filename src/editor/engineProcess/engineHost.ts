/** What the engine needs from outside, as the editor supplies it. */
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../engine/index.ts';
import { git } from '../../git/clone.ts';
import type { Connect, Prompter } from '../../remote/target.ts';
import type { Setup } from './protocol.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function createEngineHost(
  setup: Setup,
  {
    connect,
    prompt,
    env,
  }: { readonly connect: Connect; readonly prompt: Prompter; readonly env: Environment },
): Host {
  const folders = durantFolders(env);
  return {
    connect,
    git,
    prompt,
    env,
    now: () => new Date(),
    user: userName(env),
    hostname: hostname(),
    cacheDir: setup.cacheDir ?? folders.cacheDir,
    stateDir: setup.stateDir ?? folders.stateDir,
    gitPath: setup.gitPath,
    sshPath: setup.sshPath,
    rsyncPath: setup.rsyncPath,
  };
}

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

/** Who deploys: the login name; a user id that has no name, as in some containers, still deploys. */
function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
}
