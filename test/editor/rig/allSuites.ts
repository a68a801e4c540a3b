/** Everything that is tested inside VS Code; once for each age, in files of their own, so that both run at the same time. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeInVsCode } from './hostTests.ts';
import type { Age } from './server.ts';
import { packageExtension } from './vsix.ts';

export function describeAllSuites(age: Age): void {
  const folder = resolve(import.meta.dirname, '..');
  const suites = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.host.ts'))
    .sort()
    .map((path) => join(folder, path));
  describe('the packaged extension', () => {
    const vsix = packageExtension();
    describeInVsCode(`in VS Code (${age})`, { age, suites, vsix });
  });
}
