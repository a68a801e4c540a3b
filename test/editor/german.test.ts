import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

describe('the extension in German', () => {
  const vsix = packageExtension();
  for (const age of ['oldest', 'newest'] as const)
    describeInVsCode(`in VS Code (${age})`, {
      age,
      suites: [join(import.meta.dirname, 'german.suite.ts')],
      vsix,
      language: 'de',
    });
});
