/** What the engine needs from outside, as the command line supplies it. */
import { hostname } from 'node:os';
import type { Host } from '../engine/ports.ts';
import { durantFolders, machineTime, userName, type Environment } from '../engine/thisMachine.ts';
import { git } from '../git/clone.ts';
import { createConnect } from '../remote/connect.ts';
import type { Prompter } from '../remote/target.ts';

export function createHost(env: Environment, prompt: Prompter): Host {
  return {
    connect: createConnect(),
    git,
    prompt,
    env,
    ...machineTime,
    user: userName(env),
    hostname: hostname(),
    // The file that runs, which the bundle is, so that rsync can start it as its remote shell.
    cli: [process.execPath, ...(process.argv[1] === undefined ? [] : [process.argv[1]])],
    ...durantFolders(env),
  };
}
