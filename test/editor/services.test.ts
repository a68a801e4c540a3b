import { join } from 'node:path';
import { canBootSystemd, useSystemd } from '../support/systemd.ts';
import { describeInVsCode } from './rig/hostTests.ts';

describe('processes on a real systemd', function () {
  before(async function () {
    // On a bare machine the server's tree is made first, from packages.
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    await useSystemd();
  });
  describeInVsCode('newest', {
    'in one folder': { suites: [join(import.meta.dirname, 'services.suite.ts')] },
  });
});
