import { join } from 'node:path';
import { canBootSystemd } from '../support/systemd.ts';
import { describeInVsCode } from './rig/hostTests.ts';
import { packageExtension } from './rig/vsix.ts';

describe('processes on a real systemd', function () {
  before(function () {
    if (!canBootSystemd()) this.skip();
  });
  const vsix = packageExtension();
  describeInVsCode('in VS Code', {
    age: 'newest',
    suites: [join(import.meta.dirname, 'services.suite.ts')],
    vsix,
  });
});
