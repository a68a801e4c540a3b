/** What the engine needs from outside, as the command line supplies it. */
import { hostname, userInfo } from 'node:os';
import type { Host } from '../engine/ports.ts';
import { git } from '../git/clone.ts';
import { createConnect } from '../remote/connect.ts';
import type { Prompter } from '../remote/target.ts';
import { durantFolders } from './folders.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function createHost(env: Environment, prompt: Prompter): Host {
  return {
    connect: createConnect(),
    git,
    prompt,
    env,
    now: () => new Date(),
    user: userName(env),
    hostname: hostname(),
    // The file that runs, which the bundle is, so that rsync can start it as its remote shell.
    cli: [process.execPath, ...(process.argv[1] === undefined ? [] : [process.argv[1]])],
    ...durantFolders(env),
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
