/** Runs that are killed at any moment: the next one finds its way, waits for nobody, and gets the commit exactly. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeRepository, type Entry } from '../support/repo.ts';
import { assertSameTree } from '../support/tree.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

const RUN = fileURLToPath(new URL('./checkoutRun.ts', import.meta.url));

describe('git: a run that is killed', () => {
  let area: GitArea;
  beforeEach(() => {
    area = openGitArea();
  });
  afterEach(async () => await area.remove());

  it('leaves nothing that stops the next one', async () => {
    const tree = (content: string): Record<string, Entry> =>
      Object.fromEntries(
        Array.from({ length: 400 }, (_, index) => [`d${index % 40}/f${index}`, `${content} ${index}`]),
      );
    const remote = makeRepository([], join(area.root));
    for (let round = 0; round < 4; round += 1) {
      remote.commit({ message: `round ${round}`, files: tree(`round ${round}`) });
      const child = spawn(process.execPath, [RUN, remote.directory, area.project, area.cache], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: testEnvironment(),
      });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      // Not a wait for anything: the moment of the kill is what varies.
      await pause(10 + round * 40);
      child.kill('SIGKILL');
      await exited;
      const { directory } = await area.deployed({ repository: remote.directory });
      assertSameTree(directory, remote.directory, { without: ['.git', 'project', 'cache'] });
      assert.equal(existsSync(join(directory, '.git', 'index.lock')), false);
    }
    assert.deepEqual(area.waits, []);
  });
});
