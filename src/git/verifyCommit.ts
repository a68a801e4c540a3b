/** Whether git verifies the signature of a commit, by whatever the user and the project have told git about keys. */
import { GitFailure, gitTextIfAny, runGit, type GitContext } from './gitProcess.ts';
import { withHiddenConfig } from './gitEnvironment.ts';
import { personalConfig } from './goalRepository.ts';

export type Verification = { readonly ok: true } | { readonly ok: false; readonly said: string };

/**
 * @param repository folder that has the commit; `project`: the folder of durant.conf, whose git configuration counts.
 * @throws {DurantError} `cancelled`.
 */
export async function verifyCommit(
  context: GitContext,
  { repository, project, id }: { readonly repository: string; readonly project: string; readonly id: string },
): Promise<Verification> {
  // Of a commit that is not signed at all git says nothing.
  const commit = await gitTextIfAny(context, { directory: repository, args: ['cat-file', 'commit', id] });
  if (!/^gpgsig(-sha256)? /m.test(commit?.split('\n\n', 1).join('') ?? ''))
    return { ok: false, said: 'It is not signed.' };
  const env = withHiddenConfig(context.env, await personalConfig(context, project));
  try {
    await runGit({ ...context, env }, { directory: repository, args: ['verify-commit', id] });
    return { ok: true };
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return { ok: false, said: error.message.trim() };
  }
}
