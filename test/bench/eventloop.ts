// node test/bench/eventloop.ts: how long the extension host is kept from its other work while 13,000 files are deployed: the delay of
// its event loop. The 99th percentile is to stay under 50 ms.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInVsCode } from '../editor/rig/hostTests.ts';

spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
const scratch = mkdtempSync(join(tmpdir(), 'durant-eventloop-'));
const result = join(scratch, 'lines');
process.env['EVENTLOOP_RESULT'] = result;
try {
  const { results, output } = await runInVsCode({
    age: 'newest',
    suites: [join(import.meta.dirname, 'eventloop.suite.ts')],
  });
  if (results[0]?.error !== undefined || results.length === 0) throw new Error(results[0]?.error ?? output);
  console.log(readFileSync(result, 'utf8'));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
