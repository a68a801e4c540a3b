import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

describe('a window that was closed during a run', () => {
  const vsix = packageExtension();
  describeInVsCode('and opened again', {
    age: 'newest',
    suites: [join(import.meta.dirname, 'interrupted.suite.ts')],
    vsix,
  });
});
