/** The packaged extension, made once for each process of tests: what is tested is what people install. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Makes the package before the tests of this file and removes it after them. Gives its path. */
export function packageExtension(): () => string {
  const folder = resolve('.cache', `vsix-${String(process.pid)}`);
  const file = join(folder, 'durant.vsix');
  before(function () {
    this.timeout(120_000);
    mkdirSync(folder, { recursive: true });
    execFileSync(process.execPath, ['scripts/package.mjs', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return () => file;
}
