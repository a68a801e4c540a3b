/** What the engine needs from outside, as the editor supplies it. */
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host } from '../../engine/index.ts';
import { git } from '../../git/clone.ts';
import type { Connect, Prompter } from '../../remote/target.ts';
import type { Setup } from './protocol.ts';
import { durantFolders, type Environment } from './surroundings.ts';

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
    // The bundles lie side by side.
    cli: [process.execPath, join(dirname(process.argv[1] ?? ''), 'cli.cjs')],
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
