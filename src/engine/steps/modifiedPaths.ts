/**
 * What the user's commands change in a release after it was sealed is this run's doing: noted, it is sent anew by the next run, and no drift.
 */
import type { OptionKey } from '../../config/options/options.ts';
import { quote } from '../../remote/shell.ts';
import { touchedScript } from '../../transfer/stream/modified.ts';
import { touchedInplaceScript } from '../../transfer/inplace/modifiedInplace.ts';
import { hookCommands, commandPlace } from '../run/hooks.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { isUrl } from './healthCheck.ts';

type CommandList = Extract<
  OptionKey,
  | 'after_update_code'
  | 'before_writable'
  | 'after_writable'
  | 'before_vendors'
  | 'vendors'
  | 'after_vendors'
  | 'before_clear_paths'
  | 'after_clear_paths'
  | 'release_command'
  | 'before_symlink'
  | 'after_symlink'
  | 'before_cleanup'
  | 'after_cleanup'
  | 'after_deploy'
  | 'after_rollback'
>;

/** Commands that run in a release that is sealed. */
const AFTER_SEAL: readonly CommandList[] = ['after_symlink', 'before_cleanup', 'after_cleanup'];
/** With strategy inplace there is no seal: these come after the files were put in place. */
const AFTER_PLACE: readonly CommandList[] = [
  'after_update_code',
  'before_writable',
  'after_writable',
  'before_vendors',
  'vendors',
  'after_vendors',
  'before_clear_paths',
  'after_clear_paths',
  'release_command',
  'before_symlink',
  ...AFTER_SEAL,
];

/** What notes the changes of a deploy or a rollback up to its end; empty where nothing of the user's ran. */
export function noteLateChanges(run: Run, server: ServerRun): string {
  return mayHaveChanged(run) ? noteChanges(run, server, run.release ?? '') : '';
}

/** What notes the changes that one more list of commands has made in a release; empty where it has none that run there. */
export function noteChangesBy(
  run: Run,
  server: ServerRun,
  key: CommandList,
  release: string | null | undefined,
): string {
  return runsThere(run, key) && typeof release === 'string' ? noteChanges(run, server, release) : '';
}

function mayHaveChanged(run: Run): boolean {
  const { settings } = run;
  const checks = settings.health_check.some((check) => !isUrl(check) && commandPlace(check).where !== 'here');
  if (run.action === 'rollback') return checks || runsThere(run, 'after_rollback');
  const lists = settings.strategy === 'inplace' ? AFTER_PLACE : AFTER_SEAL;
  const steps = settings.strategy === 'inplace' ? [settings.writable_dirs, settings.clear_paths] : [];
  return checks || lists.some((key) => runsThere(run, key)) || steps.some((paths) => paths.length > 0);
}

function runsThere(run: Run, key: CommandList): boolean {
  const commands =
    key === 'vendors' || key === 'release_command' ? run.settings[key] : hookCommands(run, key);
  return commands.some((command) => commandPlace(command).where !== 'here');
}

/** Run in project_dir. Fails nothing: at worst the next run calls drift what was not. */
function noteChanges(run: Run, server: ServerRun, release: string): string {
  const request = {
    projectDir: server.facts.project,
    run: run.id,
    release,
    hashTool: server.facts.transfer.hashTool ?? 'sha256sum',
  };
  const script = run.settings.strategy === 'inplace' ? touchedInplaceScript(request) : touchedScript(request);
  return `if [ -f ${quote(`.durant/manifests/${release}`)} ]; then\n${script.trimEnd()} 2>/dev/null || :\nfi\n`;
}
