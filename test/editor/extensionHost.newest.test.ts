/** Everything that is tested inside VS Code, in the newest one. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeInVsCode } from './rig/hostTests.ts';

const suites = (...names: readonly string[]): readonly string[] =>
  names.map((name) => join(import.meta.dirname, name));

const hosts = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.host.ts'))
  .sort();

describeInVsCode('newest', {
  'in one folder': { suites: suites(...hosts) },
  'in two folders, one with a run behind it that was cut off': {
    suites: suites('interrupted.suite.ts', 'folders.suite.ts'),
    open: 'folders',
  },
  'with nothing open': { suites: suites('foldersNone.suite.ts'), open: 'nothing' },
  'in German': { suites: suites('german.suite.ts'), language: 'de' },
  'in a folder that is not trusted': {
    suites: suites('language/untrusted.suite.ts', 'untrusted.suite.ts'),
    untrusted: true,
  },
});
