import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cliBundle } from '../support/cli.ts';

describe('npm run demo', () => {
  it('deploys, changes, deploys again, rolls back, and shows the tree', () => {
    cliBundle();
    const folder = mkdtempSync(join(tmpdir(), 'durant-demo-'));
    try {
      const demo = spawnSync(process.execPath, ['scripts/demo.mjs', folder], { encoding: 'utf8' });
      assert.equal(demo.status, 0, demo.stdout + demo.stderr);
      for (const step of ['check', '-n deploy', 'deploy', 'releases', 'rollback'])
        assert.match(demo.stdout, new RegExp(`^» durant ${step}`, 'm'));
      assert.match(demo.stdout, /^ {2}current -> releases\//m);
      const shop = join(folder, 'server/shop');
      assert.equal(readFileSync(join(shop, 'current/old.html'), 'utf8'), '<p>The old page.</p>\n');
      assert.equal(readdirSync(join(shop, 'releases')).length, 2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
