/** Everything that is tested inside VS Code, in the oldest that is supported and in the newest. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

const suites = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.host.ts'))
  .sort()
  .map((path) => join(import.meta.dirname, path));

describe('the packaged extension', () => {
  const vsix = packageExtension();
  for (const age of ['oldest', 'newest'] as const)
    describeInVsCode(`in VS Code (${age})`, { age, suites, vsix });
});
