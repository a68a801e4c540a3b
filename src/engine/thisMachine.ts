/** This machine and this user, as both front ends give them to the engine; light, so that the editor may import it on activation. */
import { randomBytes } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { platform } from '../platform.ts';
import type { Host, Time } from './ports.ts';

/** This machine's clock, and its source of random ids. */
export const machineTime: Time = {
  now: () => new Date(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  randomId: () => randomBytes(4).toString('hex'),
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Folders of the user's: for what may be lost and for what may not. */
export function durantFolders(env: Environment): Pick<Host, 'cacheDir' | 'stateDir'> {
  return platform.userFolders(env, homedir());
}

/** Who deploys: the login name; a user id that has no name, as in some containers, still deploys. */
export function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
}
