/** A release that is complete and on disk is recorded as `prepared`: on every server before any is switched. */
import { quote } from '../../remote/shell.ts';
import { touchedScript } from '../../transfer/stream/modified.ts';
import { hookCommands } from '../run/hooks.ts';
import type { BuiltRun, Run, ServerRun } from '../run/run.ts';
import { flush, runScript } from '../run/script.ts';
import type { StepContext } from '../run/step.ts';
import { recordOf, resumable, writeRecord } from './release.ts';

/** Records it, where the transfer has not done so and no earlier run has. */
export async function markPrepared({ run, server, signal }: StepContext<BuiltRun>): Promise<void> {
  if (resumable(run, server) === undefined && !isMarkedWithTransfer(run))
    await runScript(server, markScript(run, server), { signal });
  await flush(server, signal);
}

/** Whether nothing runs between update_code and the mark, so that both take one round trip. */
export function isMarkedWithTransfer(run: Run): boolean {
  const { settings } = run;
  const later = [
    settings.shared_dirs,
    settings.shared_files,
    settings.copy_dirs,
    settings.writable_dirs,
    settings.vendors,
    settings.clear_paths,
    settings.release_command,
    settings.asset_dirs,
    hookCommands(run, 'after_update_code'),
    hookCommands(run, 'before_symlink'),
  ];
  return (
    later.every((each) => each.length === 0) &&
    settings.env_file === undefined &&
    settings.install_mode === 'none'
  );
}

/** The script, run in project_dir. */
export function markScript(run: BuiltRun, server: ServerRun): string {
  const { release } = run;
  const hashTool = server.facts.transfer.hashTool ?? 'sha256sum';
  const touched = isMarkedWithTransfer(run)
    ? ''
    : `${touchedScript({ projectDir: server.facts.project, run: run.id, release, hashTool }).trimEnd()} || exit 1\n`;
  return `${touched}${writeRecord(recordOf(run, server, 'prepared'))} && { sync -f ${quote(`releases/${release}`)} 2>/dev/null || sync; }`;
}
