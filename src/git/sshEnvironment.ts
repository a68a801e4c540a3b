/** Git's ssh must never wait for an answer that nobody can give. */
import { tmpdir } from 'node:os';
import { gitTextIfAny, type GitContext } from './gitProcess.ts';

/** The context with an ssh that asks nothing, unless the user has chosen a command for it: that one stays as it is. */
export async function askingNothing(context: GitContext): Promise<GitContext> {
  const { env } = context;
  if (env['GIT_SSH_COMMAND'] !== undefined || env['GIT_SSH'] !== undefined) return context;
  // The user's and the system's configuration, not that of a repository which happens to be around.
  const args = ['--git-dir=/dev/null', 'config', '--get', 'core.sshCommand'];
  const chosen = await gitTextIfAny(context, { directory: tmpdir(), args });
  if (chosen !== undefined && chosen.trim() !== '') return context;
  return { ...context, env: { ...env, GIT_SSH_COMMAND: 'ssh -o BatchMode=yes' } };
}
