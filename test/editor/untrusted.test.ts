import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

describe('a folder that is not trusted', () => {
  const vsix = packageExtension();
  for (const age of ['oldest', 'newest'] as const)
    describeInVsCode(`in VS Code (${age})`, {
      age,
      suites: [join(import.meta.dirname, 'untrusted.suite.ts')],
      vsix,
      untrusted: true,
    });
});
