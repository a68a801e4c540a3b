/** The seal: a release that is complete and on disk is recorded as `prepared`. Written on every server before any is switched. */
import { quote } from '../../remote/shell.ts';
import { touchedScript } from '../../transfer/stream/modified.ts';
import { hookCommands } from '../run/hooks.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { recordOf, writeRecord } from './release.ts';

/** Whether nothing runs between update_code and the seal, so that both take one round trip. */
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
export function seal(run: Run, server: ServerRun): string {
  const folder = `releases/${run.release ?? ''}`;
  const touched = isMarkedWithTransfer(run)
    ? ''
    : `${touchedScript({ projectDir: server.facts.project, run: run.id, release: run.release ?? '', hashTool: server.facts.transfer.hashTool ?? 'sha256sum' }).trimEnd()} || exit 1\n`;
  return `${touched}${writeRecord(recordOf(run, server, 'prepared'))} && { sync -f ${quote(folder)} 2>/dev/null || sync; }`;
}
