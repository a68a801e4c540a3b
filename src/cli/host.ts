/** What the engine needs from outside, as the command line supplies it. */
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
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
  const folders = durantFolders(env);
  return {
    connect: createConnect({ keeping: { folder: socketFolder(env, folders.stateDir), program } }),
    git,
    prompt,
    env,
    ...time,
    user: userName(env),
    hostname: hostname(),
    cli: program,
    ...folders,
  };
}

/** Where sockets of the user's belong by the XDG Base Directory specification; their paths have to be short. */
function socketFolder({ XDG_RUNTIME_DIR: runtime }: Context['env'], stateDir: string): string {
  return runtime !== undefined && isAbsolute(runtime)
    ? join(runtime, 'durant')
    : join(stateDir, 'connections');
}
