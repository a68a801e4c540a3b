/** Run by crash.test.ts as a process of its own: one checkout of the default branch. */
import { git } from '../../src/git/clone.ts';
import { testEnvironment } from './cloneSupport.ts';

const [repository = '', directory = '', cacheDir = ''] = process.argv.slice(2);
console.log('started');
const clone = await git.open({
  repository,
  remote: 'origin',
  directory,
  stage: 'production',
  tempDir: undefined,
  cacheDir,
  env: testEnvironment(),
  signal: new AbortController().signal,
  onWait: () => undefined,
  lfs: true,
  onWarning: () => undefined,
});
await clone.checkout(await clone.fetch(undefined), { submodules: true });
await clone.release();
