/** Opens the stage's local clone. */
import { dirname } from 'node:path';
import { expandLocalPath } from '../config/localPath.ts';
import type { Clone } from '../git/port.ts';
import type { Run } from './run.ts';

/** @throws {DurantError} `git-missing`, `temp-dir-refused`. */
export function openClone(run: Run): Promise<Clone> {
  const { settings, host } = run;
  return host.git.open({
    repository: settings.repository,
    remote: settings.remote,
    directory: dirname(run.request.file),
    stage: run.request.stage,
    tempDir:
      run.dryRun || settings.temp_dir === undefined
        ? undefined
        : expandLocalPath(settings.temp_dir, host.env),
    cacheDir: host.cacheDir,
    gitPath: host.gitPath,
    env: { ...definedOnly(host.env), ...settings.env },
    signal: run.signal,
    onWarning: (code, message) => run.emit({ event: 'warning', code, message, server: null }),
    onWait: (message) => run.emit({ event: 'warning', code: 'waiting-for-clone', message, server: null }),
  });
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
