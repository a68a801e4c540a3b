import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

describe('what is open', () => {
  const vsix = packageExtension();
  const suite = (name: string): readonly string[] => [join(import.meta.dirname, name)];
  describeInVsCode('two folders', {
    age: 'newest',
    suites: suite('folders.suite.ts'),
    vsix,
    open: 'folders',
  });
  describeInVsCode('nothing', {
    age: 'newest',
    suites: suite('foldersNone.suite.ts'),
    vsix,
    open: 'nothing',
  });
});
