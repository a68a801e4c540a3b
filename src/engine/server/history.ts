/** `.durant/history.log`: one line per deploy, rollback, unlock and prune. */
import { quote } from '../../remote/shell.ts';
import type { Run } from '../run/run.ts';

/** Script that adds a run's line; the working directory is project_dir. */
export function historyLine(run: Run, outcome: string): string {
  const commit = run.commit === undefined ? '' : ` ${run.commit.id}`;
  return appendHistory(run.host, `${run.action} ${run.release ?? '-'}${commit}`, outcome);
}

export function appendHistory(
  who: { readonly user: string; readonly hostname: string; readonly now: () => Date },
  what: string,
  outcome: string,
): string {
  const line = `${who.now().toISOString()} ${who.user}@${who.hostname} ${what} ${outcome}`.replaceAll(
    /[\r\n]+/g,
    ' ',
  );
  return `printf '%s\\n' ${quote(line)} >> .durant/history.log`;
}
