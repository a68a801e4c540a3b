import { join, resolve } from 'node:path';
import { describeInVsCode } from '../rig/hostTests.ts';

describeInVsCode('the language, untrusted', {
  age: 'newest',
  suites: [join(import.meta.dirname, 'untrusted.suite.ts')],
  extension: resolve('.'),
  untrusted: true,
});
