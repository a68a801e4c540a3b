/** The scripts of the step `writable`, run by a real sh, against a web server that swaps what they work on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/config/options/options.ts';
import { findWebUser } from '../../src/engine/steps/webUser.ts';
import { writableScript } from '../../src/engine/steps/writable.ts';
import { startNamed } from '../support/namedProcess.ts';
import { startSwapper, WEB } from '../support/swapper.ts';

const LOGIN = 4711;

describe('the scripts of the step writable', function () {
  let top: string;
  let project: string;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'durant-writable-'));
    chmodSync(top, 0o755);
    project = join(top, 'site');
    for (const path of [project, join(project, '.durant')]) {
      mkdirSync(path);
      chownSync(path, LOGIN, LOGIN);
    }
    writeFileSync(join(top, 'sudo'), '#!/bin/sh\nshift; exec "$@"\n', { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(top, { recursive: true, force: true });
  });

  const settings = (more: Partial<Settings>): Parameters<typeof writableScript>[0]['settings'] => ({
    writable_mode: 'chmod',
    writable_recursive: true,
    writable_chmod_mode: '0777',
    writable_use_sudo: false,
    http_user: 'www-data',
    http_group: undefined,
    ...more,
  });
  const make = (more: Partial<Settings>, uid: number): void => {
    const script = writableScript({ settings: settings(more), folders: ['web'], scratch: '.durant/scratch' });
    execFileSync('sh', ['-c', script], {
      cwd: project,
      uid,
      gid: uid,
      env: { ...process.env, PATH: `${top}:${process.env['PATH'] ?? ''}` },
    });
  };
  const give = (path: string, uid: number, mode: number): void => {
    chownSync(path, uid, uid);
    chmodSync(path, mode);
  };

  // As root, who logs in there, sudo changes nothing, but what is outside is root's.
  for (const [who, uid, sudo, modes, shell] of [
    ['the login user', LOGIN, false, ['chmod', 'acl'], 'sh'],
    ['root', 0, true, ['chmod', 'acl', 'chgrp', 'sticky', 'chown'], 'sh'],
    // Which says where it was before it has changed its folder.
    ['the login user', LOGIN, false, ['chmod'], 'bash'],
    ['the login user', LOGIN, false, ['chmod'], 'busybox'],
  ] as const)
    it(`change nothing of ${who} outside while the web server swaps folders and files for links (${shell})`, async () => {
      if (shell !== 'sh') symlinkSync(`/bin/${shell}`, join(top, 'sh'));
      const outside = join(top, 'outside');
      const folder = join(project, 'web');
      mkdirSync(outside);
      mkdirSync(join(folder, 'folder'), { recursive: true });
      const names = Array.from({ length: 200 }, (_, index) => String(index));
      for (const name of names) {
        for (const parent of [outside, join(folder, 'folder')]) writeFileSync(join(parent, name), '');
        give(join(outside, name), uid, 0o600);
      }
      give(outside, uid, 0o711);
      writeFileSync(join(folder, 'file'), '');
      const look = () =>
        ['.', ...names].map((name) => {
          const { mode, uid: owner, gid } = statSync(join(outside, name));
          return `${name} ${mode.toString(8)} ${owner} ${gid}`;
        });
      const before = look();
      let rounds = 0;
      for (const mode of modes) {
        for (const path of ['.', 'folder', 'file', ...names.map((name) => join('folder', name))])
          give(join(folder, path), uid, 0o777);
        const web = await startSwapper(folder, outside);
        try {
          for (let each = 0; each < 3; each += 1) {
            execFileSync('setfacl', ['-b', folder]);
            chmodSync(folder, 0o777);
            make({ writable_mode: mode, writable_use_sudo: sudo }, uid);
          }
        } finally {
          rounds += await web.end();
        }
        assert.deepEqual(look(), before, mode);
      }
      assert.ok(rounds > 2000, `${rounds} rounds`);
    });

  it('change what is the login user’s, at any depth, also with odd names, and leave links and others’ files', () => {
    const folder = join(project, 'web');
    const deep = join(folder, 'a b/.c\n/-d');
    mkdirSync(deep, { recursive: true });
    const [file, odd, theirs] = [join(deep, '.e $x'), join(deep, '-f'), join(folder, 'theirs')];
    for (const path of [file, odd, theirs]) writeFileSync(path, '');
    execFileSync('chown', ['-R', `${LOGIN}:${LOGIN}`, folder]);
    give(theirs, WEB, 0o640);
    make({ writable_mode: 'chmod', writable_chmod_mode: '0770' }, LOGIN);
    for (const path of [folder, join(folder, 'a b'), deep, file, odd])
      assert.equal(statSync(path).mode & 0o777, 0o770, path);
    assert.equal(statSync(theirs).mode & 0o777, 0o640);
    assert.throws(() => statSync(join(project, '.durant/scratch')));
  });

  it('take for the web server only a process whose parent has its name and is root’s', async () => {
    const find = () => execFileSync('sh', ['-c', findWebUser()], { encoding: 'utf8' });
    const before = find();
    const stranger = await startNamed('php-fpm9.9', 65534);
    try {
      assert.equal(find(), before);
    } finally {
      await stranger.stop();
    }
    const server = await startNamed('php-fpm9.9', 1, 'with a master of root');
    try {
      if (/^web-user \S+ $/m.test(before)) assert.match(find(), /^web-user daemon php-fpm9\.9$/m);
    } finally {
      await server.stop();
    }
  });
});
