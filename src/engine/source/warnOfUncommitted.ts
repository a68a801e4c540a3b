/** Work that a deploy leaves out, as it sends commits. */
import type { Clone } from '../../git/port.ts';
import type { Emit } from '../events.ts';

/** Says how many files of a repository on this machine are in no commit. */
export async function warnOfUncommitted(clone: Clone, emit: Emit): Promise<void> {
  const count = await clone.uncommitted();
  if (count === 0) return;
  const files = count === 1 ? '1 changed file is' : `${count} changed files are`;
  emit({
    event: 'warning',
    code: 'uncommitted',
    message: `${files} not committed and will not be deployed`,
    server: null,
  });
}
