/** The script of the step `clear_paths`, against a web server that swaps the folders on its way for links. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearScript } from '../../src/engine/steps/clearPaths.ts';
import { startSwapper } from '../support/swapper.ts';

describe('the script of the step clear_paths', function () {
  let top: string;
  let project: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'durant-clear-'));
    chmodSync(top, 0o755);
    project = join(top, 'site');
    mkdirSync(join(project, 'web/folder'), { recursive: true });
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));
  const clear = (...paths: readonly string[]) =>
    execFileSync('sh', ['-c', clearScript(paths, 'as login user')], {
      cwd: project,
      env: { ...process.env, PATH: `${top}:${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('removes files, folders and links themselves, and passes over what is not there', () => {
    const outside = join(top, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), '');
    for (const path of ['one', 'web/-two $x', 'web/folder/three']) writeFileSync(join(project, path), '');
    symlinkSync(outside, join(project, 'web/link'));
    clear('one', 'web/-two $x', 'web/folder', 'web/link', 'web/none', 'none/at/all');
    assert.deepEqual(readdirSync(project), ['web']);
    assert.deepEqual(readdirSync(join(project, 'web')), []);
    assert.ok(existsSync(join(outside, 'kept')));
    symlinkSync(outside, join(project, 'web/link'));
    assert.throws(() => clear('web/link/kept'), /web\/link is a symbolic link/);
    assert.ok(existsSync(join(outside, 'kept')));
  });

  it('asks the system where it is in a shell that only believes to know: bash has looked before it goes there', () => {
    symlinkSync('/bin/bash', join(top, 'sh'));
    writeFileSync(join(project, 'web/folder/kept'), '');
    writeFileSync(join(top, 'env'), '#!/bin/sh\necho /elsewhere\n', { mode: 0o755 });
    assert.throws(() => clear('web/folder/kept'), /cannot be entered/);
    rmSync(join(top, 'env'));
    clear('web/folder/kept');
    assert.deepEqual(readdirSync(join(project, 'web/folder')), []);
  });

  for (const shell of ['sh', 'bash', 'busybox'])
    it(`removes nothing outside while folders are swapped for links (${shell})`, async function () {
      if (process.getuid?.() !== 0) this.skip();
      if (shell !== 'sh') symlinkSync(`/bin/${shell}`, join(top, 'sh'));
      const outside = join(top, 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'kept'), '');
      writeFileSync(join(project, 'web/file'), '');
      chmodSync(join(project, 'web'), 0o777);
      const web = await startSwapper(join(project, 'web'), outside);
      let refused = 0;
      try {
        for (let each = 0; each < 40; each += 1)
          try {
            clear(...Array.from({ length: 20 }, () => 'web/folder/kept'));
          } catch {
            refused += 1;
          }
      } finally {
        assert.ok((await web.end()) > 500);
      }
      assert.ok(existsSync(join(outside, 'kept')));
      assert.ok(refused > 0, 'it met a link');
    });
});
