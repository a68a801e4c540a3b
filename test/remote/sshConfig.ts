/** An `ssh` that reads a given configuration instead of the user's and the system's. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns path of the wrapper, for `sshPath`. */
export function writeSsh(folder: string, lines: readonly string[]): string {
  const config = join(folder, 'ssh_config');
  writeFileSync(config, `${lines.join('\n')}\n`);
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  const wrapper = join(folder, 'ssh');
  writeFileSync(wrapper, `#!/bin/sh\nexec '${real}' -F '${config}' "$@"\n`, { mode: 0o755 });
  return wrapper;
}
