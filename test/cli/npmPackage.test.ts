/** What is shipped: the npm package, installed into an empty folder and used there; and the licences of what is in the bundles. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageSources } from '../../scripts/packaged.mjs';

const shipped = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'THIRD_PARTY_NOTICES',
  'dist/cli.cjs',
  'dist/mcp.cjs',
  'dist/program.cjs',
  'goal.d.ts',
  'package.json',
];

describe('the npm package', function () {
  it('has what it needs and no more, and does the demo from an empty folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'durant-npm-test-'));
    try {
      const npm = (...args: readonly string[]) =>
        execFileSync('npm', [...args, '--cache', join(folder, 'cache')], { cwd: folder, stdio: 'pipe' });
      execFileSync(process.execPath, ['scripts/npm-package.mjs', '--as-built', folder], { stdio: 'pipe' });
      const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
      npm('install', '--offline', '--no-audit', '--no-fund', join(folder, tarball));
      const installed = join(folder, 'node_modules', 'durant');
      const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
      assert.deepEqual(files.filter((name) => name !== 'dist').toSorted(), shipped);
      assert.deepEqual(readdirSync(join(folder, 'node_modules')).toSorted(), [
        '.bin',
        '.package-lock.json',
        'durant',
      ]);

      const cli = realpathSync(join(folder, 'node_modules', '.bin', 'durant'));
      const demo = spawnSync(process.execPath, ['scripts/demo.mjs', join(folder, 'demo')], {
        encoding: 'utf8',
        env: { ...process.env, DURANT_CLI: cli },
      });
      assert.equal(demo.status, 0, demo.stdout + demo.stderr);
      assert.equal(
        readFileSync(join(folder, 'demo/server/shop/current/old.html'), 'utf8'),
        '<p>The old page.</p>\n',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('npm pack in the checkout takes those alone, too', () => {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const files = packed.files.map((file: { readonly path: string }) => file.path);
    assert.deepEqual(files.toSorted(), shipped);
  });

  it('THIRD_PARTY_NOTICES has the licences of what is bundled (npm run notices writes it), and is in both packages', () => {
    assert.equal(
      readFileSync('THIRD_PARTY_NOTICES', 'utf8'),
      readFileSync('dist/THIRD_PARTY_NOTICES', 'utf8'),
    );
    assert(packageSources().includes('THIRD_PARTY_NOTICES'));
  });
});
