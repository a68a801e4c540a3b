/** What the engine needs from outside, as the editor supplies it. */
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host } from '../engine/index.ts';
import { durantFolders, machineTime, userName, type Environment } from '../engine/thisMachine.ts';
import { git } from '../git/clone.ts';
import type { CloneRequest } from '../git/port.ts';
import type { Connect, Prompter } from '../remote/target.ts';
import type { Setup } from './protocol.ts';

export function createEngineHost(
  setup: Setup,
  {
    connect,
    prompt,
    login,
    env,
  }: {
    readonly connect: Connect;
    readonly prompt: Prompter;
    readonly login: CloneRequest['login'];
    readonly env: Environment;
  },
): Host {
  const folders = durantFolders(env);
  return {
    connect,
    git: { open: (request) => git.open({ ...request, login }) },
    prompt,
    env,
    ...machineTime,
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
