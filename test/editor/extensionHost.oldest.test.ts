/** What another VS Code could break: that the extension starts, its manifest, its language, and a deploy. */
import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';

describeInVsCode('oldest', {
  'in one folder': {
    suites: ['manifest.host.ts', 'language/language.host.ts', 'deploy.host.ts', 'agents.host.ts'].map(
      (name) => join(import.meta.dirname, name),
    ),
    grep: '^(the manifest|durant.conf in the editor|a deploy from the editor makes the commit live|tools of agents in the editor tell)',
  },
});
