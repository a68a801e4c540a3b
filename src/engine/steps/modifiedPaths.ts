/**
 * What the user's commands change in a release after it was recorded as prepared is this run's doing: noted, it is sent anew by the next run, and no drift.
 */
import { quote } from '../../remote/shell.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import { isAsked } from './healthChecks.ts';

/** What notes the changes of a deploy or a rollback up to its end; empty where nothing of the user's ran. */
export function noteLateChanges(run: NamedRun, server: ServerRun): string {
  return mayHaveChanged(run) ? noteChanges(run, server, run.release) : '';
}

/** What notes the changes that one more list of commands has made in a release; empty where it has none that run there. */
export function noteChangesBy(
  run: Run,
  server: ServerRun,
  key: 'after_deploy' | 'after_rollback',
  release: string | null,
): string {
  return release !== null && run.settings[key].some(runsThere) ? noteChanges(run, server, release) : '';
}

function mayHaveChanged(run: Run): boolean {
  const { settings } = run;
  const checks = settings.health_check.some(
    (check) => !isAsked(settings, parseCommand(check).command) && runsThere(check),
  );
  if (run.action === 'rollback') return checks || settings.after_rollback.some(runsThere);
  return checks || run.strategy.lateChanges.some((key) => settings[key].some(runsThere));
}

function runsThere(item: string): boolean {
  return parseCommand(item).place !== 'local';
}

/** Run in project_dir. Fails nothing: at worst the next run calls drift what was not. */
function noteChanges(run: Run, server: ServerRun, release: string): string {
  const request = {
    projectDir: server.facts.project,
    run: run.id,
    release,
    hashTool: server.facts.transfer.hashTool ?? 'sha256sum',
  };
  const script = run.strategy.noteChanges(request).trimEnd();
  return `if [ -f ${quote(`.durant/manifests/${release}`)} ]; then\n${script} 2>/dev/null || :\nfi\n`;
}
