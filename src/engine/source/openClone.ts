/** Opens the stage's local clone. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expandLocalPath } from '../../config/values/localPath.ts';
import type { Clone } from '../../git/port.ts';
import type { Run } from '../run/run.ts';

/** @throws {DurantError} `git-missing`, `temp-dir-refused`. */
export function openClone(run: Run): Promise<Clone> {
  const { settings, host } = run;
  return host.git.open({
    repository: settings.repository,
    remote: settings.remote,
    directory: dirname(run.request.file),
    stage: run.request.stage,
    tempDir: tempDirOf(run),
    cacheDir: host.cacheDir,
    gitPath: host.gitPath,
    env: { ...definedOnly(host.env), ...settings.env },
    lfs: settings.lfs,
    signal: run.signal,
    onWarning: (code, message) => run.emit({ event: 'warning', code, message, server: null }),
    onWait: (message) => run.emit({ event: 'warning', code: 'waiting-for-clone', message, server: null }),
  });
}

function tempDirOf({ settings, host, dryRun, request }: Run): string | undefined {
  if (settings.temp_dir === undefined) return undefined;
  const folder = expandLocalPath(settings.temp_dir, host.env);
  if (!dryRun) return folder;
  // A dry run makes no folder. Where goals look at what they left in the clone, it looks at it too.
  const goals = request.pipeline?.goals.some((goal) => goal.kind === 'section') === true;
  const made = existsSync(join(resolve(dirname(request.file), folder), '.git', 'durant'));
  return goals && made ? folder : undefined;
}

/** An environment without its unset variables. */
export function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
