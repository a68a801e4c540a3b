/** This machine and this user, as both front ends give them to the engine; light, so that the editor may import it on activation. */
import { randomBytes } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host, Time } from './ports.ts';

/** This machine's clock, and its source of random ids. */
export const machineTime: Time = {
  now: () => new Date(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  randomId: () => randomBytes(4).toString('hex'),
};

export type Environment = Readonly<Record<string, string | undefined>>;

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
export function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
}
