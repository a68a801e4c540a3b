/** What the engine needs from outside, as the command line supplies it. */
import { hostname } from 'node:os';
import type { Host } from '../engine/ports.ts';
import { durantFolders, userName } from '../engine/thisMachine.ts';
import { git } from '../git/clone.ts';
import { createConnect } from '../remote/connect.ts';
import type { Prompter } from '../remote/target.ts';
import type { Context } from './context.ts';

export function createHost(
  { env, program, time }: Pick<Context, 'env' | 'program' | 'time'>,
  prompt: Prompter,
): Host {
  return {
    connect: createConnect(),
    git,
    prompt,
    env,
    ...time,
    user: userName(env),
    hostname: hostname(),
    cli: program,
    ...durantFolders(env),
  };
}
