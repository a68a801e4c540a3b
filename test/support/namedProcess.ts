/** Processes that call themselves what a web server is called. Needs root. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NamedProcess {
  stop(): Promise<void>;
}

/** Starts a process of this name and user; it waits until it is stopped. With a master its parent has the same name and is root's. */
export async function startNamed(
  name: string,
  uid: number,
  parent: 'alone' | 'with a master of root' = 'alone',
): Promise<NamedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'durant-named-'));
  const program = join(folder, name);
  copyFileSync('/bin/sh', program);
  for (const path of [folder, program]) chmodSync(path, 0o755);
  const ready = 'echo ready; read -r _';
  const user = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  // `; :` keeps the master's shell from becoming its worker.
  const [file, args] =
    parent === 'alone'
      ? ['setpriv', [...user, program, '-c', ready]]
      : [program, ['-c', `setpriv ${user.join(' ')} "$0" -c '${ready}'; :`, program]];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
