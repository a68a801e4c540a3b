/** The script that removes releases, killed at each of its commands: what it began the next one ends, and nothing is left that nobody knows. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removalFunctions } from '../../src/engine/run/removal.ts';

describe('removing a release', function () {
  let folder: string;
  let project: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-removal-'));
    mkdirSync(join(folder, 'bin'));
    // Each counts itself, and ends the whole script before or after the one that it is told to.
    for (const command of ['mv', 'rm', 'sync', 'cat', 'readlink'])
      writeFileSync(
        join(folder, 'bin', command),
        `#!/bin/sh
n=0; read -r n < "$COUNT"; n=$((n + 1)); echo $n > "$COUNT"
[ "$AT" != "$n before" ] || kill -KILL 0
PATH=/usr/bin:/bin ${command} "$@"; s=$?
[ "$AT" != "$n after" ] || kill -KILL 0
exit $s
`,
        { mode: 0o755 },
      );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    project = mkdtempSync(join(folder, 'project-'));
    for (const path of ['.durant/releases', '.durant/manifests', '.durant/env'])
      mkdirSync(join(project, path), { recursive: true });
    for (const name of ['a', 'b']) {
      mkdirSync(join(project, 'releases', name, 'sub'), { recursive: true });
      for (const path of [
        `releases/${name}/sub/file`,
        `.durant/releases/${name}.ini`,
        `.durant/releases/${name}.services`,
        `.durant/manifests/${name}`,
        `.durant/env/${name}`,
      ])
        writeFileSync(join(project, path), '');
    }
    symlinkSync('releases/b', join(project, 'current'));
  });

  /** `3 before` kills it ahead of its third command; '' lets it end. @returns how many commands it came to. */
  function remove(at: string): number {
    const count = join(folder, 'count');
    writeFileSync(count, '0\n');
    const script = `${removalFunctions({ current_path: 'current', cleanup_use_sudo: false })}\nempty_trash; remove_release a; remove_release b`;
    spawnSync('setsid', ['-w', 'sh', '-c', script], {
      cwd: project,
      env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, COUNT: count, AT: at },
    });
    return Number(readFileSync(count, 'utf8'));
  }
  const below = (path: string) => readdirSync(join(project, path)).toSorted();
  const all = () => [
    below('releases'),
    below('.durant').filter((name) => name.startsWith('trash')),
    below('.durant/releases'),
    below('.durant/manifests'),
    below('.durant/env'),
  ];

  for (const when of ['before', 'after'])
    for (let n = 1; n <= 4; n += 1)
      it(`killed ${when} its command ${n}`, () => {
        assert.equal(remove(`${n} ${when}`), n);
        for (const name of below('releases'))
          assert.ok(existsSync(join(project, '.durant/releases', `${name}.ini`)), `${name} without a record`);
        for (const name of below('.durant/manifests'))
          assert.ok(existsSync(join(project, '.durant/releases', `${name}.ini`)), `manifest of ${name}`);
        assert.ok(existsSync(join(project, 'current/sub/file')));
        remove('');
        assert.deepEqual(all(), [['b'], [], ['b.ini', 'b.services'], ['b'], ['b']]);
      });
});
