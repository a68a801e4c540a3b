/** What the engine needs from outside, as the command line supplies it. */
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../engine/ports.ts';
import { git } from '../git/clone.ts';
import { connect } from '../remote/connect.ts';
import type { Prompter } from '../remote/target.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function createHost(env: Environment, prompt: Prompter): Host {
  return {
    connect,
    git,
    prompt,
    env,
    now: () => new Date(),
    user: userName(env),
    hostname: hostname(),
    ...durantFolders(env),
  };
}

/** Folders of the user's: for what may be lost and for what may not. The XDG Base Directory specification, elsewhere the platform's own. */
export function durantFolders(env: Environment): Pick<Host, 'cacheDir' | 'stateDir'> {
  const home = homedir();
  const under = (base: string | undefined, otherwise: string): string =>
    join(base !== undefined && base !== '' ? base : otherwise, 'durant');
  if (process.platform === 'win32') {
    const local = under(env['LOCALAPPDATA'], join(home, 'AppData', 'Local'));
    return { cacheDir: join(local, 'cache'), stateDir: join(local, 'state') };
  }
  return {
    cacheDir: under(
      env['XDG_CACHE_HOME'],
      join(home, ...(process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache'])),
    ),
    stateDir: under(env['XDG_STATE_HOME'], join(home, '.local', 'state')),
  };
}

/** Who deploys: the login name; a user id that has no name, as in some containers, still deploys. */
function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
}
