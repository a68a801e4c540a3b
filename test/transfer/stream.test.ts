import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../src/remote/shell.ts';
import { displayPath } from '../../src/transfer/tree/manifest.ts';
import { cleanupScript } from '../../src/transfer/stream/stream.ts';
import { warmCopyScript } from '../../src/transfer/stream/warmCopy.ts';
import { allProcesses } from '../support/processes.ts';
import { readTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { bytes, commitTimeMs, openLab, type Lab, type Spec, type Tools } from './lab.ts';

const long = 'n'.repeat(180);
const weird: Spec = {
  'new\nline': 'a',
  'carriage\rreturn': 'b',
  'back\\slash\\n': 'c',
  '.\n.//./trap': 'd',
  'quote\'s "double" `tick` $HOME': 'e',
  '-rf': 'f',
  '--help': 'f2',
  ' leading and trailing ': 'g',
  'caf\xc3\xa9/na\xefve.txt': 'h',
  'tab\there': 'i',
  '*?[a]': 'j',
  '\x01\x7f': 'k',
  [`${long}/${long}/${long}.txt`]: 'l',
  'link\nname': { link: 'target\\with\nnewline\n' },
  'long-link': { link: '../'.repeat(60) + 'x' },
  dangling: { link: '/nowhere/at all' },
  'a -> b': 'm',
  'dir\n/in\\side': 'n',
  '%s%n%b\\0': 'o',
};
const site: Spec = {
  'index.php': '<?php 1',
  'bin/run': { text: '#!/bin/sh', mode: 0o755 },
  'app/a.php': 'a',
  'app/b.php': 'b',
  'app/deep/er/c.php': 'c',
  empty: '',
  'build/out.js': { text: 'built', mode: 0o600 },
  'build/read-only.js': { text: 'ro', mode: 0o444 },
  'build/run-only': { text: 'rx', mode: 0o555 },
  'empty-folder': 'dir',
  'to-app': { link: 'app' },
};

const kinds: readonly Tools[] = ['system', 'busybox', 'bsdtar', 'no-stat'];
for (const tools of kinds) {
  describe(`stream with ${tools} tools`, () => {
    let lab: Lab;
    beforeEach(async () => {
      lab = await openLab({ tools });
    });
    afterEach(() => lab.remove());

    it('makes a first release with exact bytes, modes and times', async () => {
      lab.write(site);
      const { result } = await lab.deploy('r1');
      lab.assertRelease('r1');
      assert.equal(readFileSync(join(lab.release('r1'), 'REVISION'), 'utf8'), `${'c'.repeat(40)}\n`);
      assert.equal(statSync(join(lab.release('r1'), 'index.php')).mtimeMs, commitTimeMs);
      assert.equal(
        Math.floor(statSync(join(lab.release('r1'), 'build/out.js')).mtimeMs / 1000),
        Math.floor(statSync(join(lab.work, 'build/out.js')).mtimeMs / 1000),
      );
      assert.equal(result.files, 10);
      assert.equal(result.usedSpare, false);
    });

    it('carries names of any bytes, new, unchanged, changed and deleted', async () => {
      lab.write(weird);
      await lab.deploy('r1');
      lab.assertRelease('r1');
      const renamed = Object.fromEntries(
        Object.entries(weird).map(([path, what]) => [path, typeof what === 'string' ? `${what}!` : what]),
      );
      lab.write({ ...weird, other: 'x' });
      assert.equal((await lab.deploy('r2')).result.files, 1);
      lab.assertRelease('r2');
      lab.write(renamed);
      await lab.deploy('r3');
      lab.assertRelease('r3');
      lab.write({ 'only.txt': 'x', 'caf\xc3\xa9': 'now a file' });
      await lab.deploy('r4');
      lab.assertRelease('r4');
    });

    it('compresses on a line that may be slow', async () => {
      const far = { ...lab.connection, address: { ...lab.connection.address, local: false, host: 'web1' } };
      lab.write({ ...site, 'big.txt': 'the same again '.repeat(200_000), zero: '' });
      const { result } = await lab.deploy('r1', { connection: far });
      lab.assertRelease('r1');
      assert.ok(result.wireBytes < 100_000, String(result.wireBytes));
      lab.write({ ...site, 'big.txt': 'the same again '.repeat(200_000), zero: 'one' });
      await lab.deploy('r2', { connection: far });
      lab.assertRelease('r2');
    });

    it('sends only what changed, and leaves the live release as it is', async () => {
      lab.write(site);
      await lab.deploy('r1');
      const before = readTree(lab.release('r1'), { mtime: true });
      lab.write({ ...site, 'app/a.php': 'changed', 'app/new/d.php': 'd', 'bin/run': '#!/bin/sh' });
      const { result, plan } = await lab.deploy('r2');
      lab.assertRelease('r2');
      assert.equal(result.files, 3);
      assert.deepEqual(
        plan.changes.map(({ path, kind }) => `${kind} ${displayPath(path).path}`),
        ['changed app/a.php', 'added app/new/d.php', 'changed bin/run'],
      );
      assert.deepEqual(readTree(lab.release('r1'), { mtime: true }), before);
      assert.notEqual(
        statSync(join(lab.release('r1'), 'app/b.php')).ino,
        statSync(join(lab.release('r2'), 'app/b.php')).ino,
      );
    });

    it('hard-links what did not change with unchanged: link, and never writes through a link', async () => {
      lab.write({ ...site, ...weird });
      await lab.deploy('r1');
      const before = readTree(lab.release('r1'), { mtime: true });
      lab.write({ ...site, ...weird, 'app/a.php': 'changed', 'app/b.php': { text: 'b', mode: 0o755 } });
      const { result } = await lab.deploy('r2', { unchanged: 'link' });
      lab.assertRelease('r2');
      assert.deepEqual(readTree(lab.release('r1'), { mtime: true }), before);
      assert.equal(result.files, 2);
      for (const path of ['index.php', 'app/deep/er/c.php', 'empty'])
        assert.equal(
          statSync(join(lab.release('r1'), path)).ino,
          statSync(join(lab.release('r2'), path)).ino,
          path,
        );
      assert.notEqual(
        statSync(join(lab.release('r1'), 'app/b.php')).ino,
        statSync(join(lab.release('r2'), 'app/b.php')).ino,
      );
    });

    it('changes types in every direction without leaving the release', async () => {
      const outside = join(lab.work, '..', 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'precious'), 'precious');
      const shapes: Spec[] = [
        { x: 'file', 'y/a': '1', 'y/b/c': '2', z: { link: outside } },
        { 'x/a': 'file', y: 'now a file', 'z/precious': 'mine', 'z/more/q': 'q' },
        { x: { link: outside }, 'y/a': '1', z: 'file' },
        { 'x/precious': 'dir again', y: { link: 'x' }, 'z/k': 'k' },
        { x: { link: 'z' }, 'y/n': 'n', 'z/k': 'k' },
      ];
      for (const [index, shape] of shapes.entries()) {
        lab.write(shape);
        await lab.deploy(`r${String(index)}`);
        lab.assertRelease(`r${String(index)}`);
      }
      assert.deepEqual(readdirSync(outside), ['precious']);
      assert.equal(readFileSync(join(outside, 'precious'), 'utf8'), 'precious');
    });

    it('sends drifted files anew and never carries them, or unlisted ones, on', async () => {
      lab.write({ ...site, 'odd\nname': '1' });
      await lab.deploy('r1');
      const live = lab.release('r1');
      writeFileSync(join(live, 'app/a.php'), 'X');
      writeFileSync(join(live, 'odd\nname'), '22');
      writeFileSync(join(live, 'app/unlisted'), 'u');
      mkdirSync(join(live, 'vendor'));
      await lab.sh(
        'cd releases/r1; rm app/b.php; chmod 600 bin/run; rm to-app; ln -s /etc to-app; rm index.php; mkfifo index.php',
      );
      const before = lab.execs();
      lab.write({ ...site, 'odd\nname': '1', 'app/deep/er/c.php': 'changed' });
      const { result } = await lab.deploy('r2');
      lab.assertRelease('r2');
      assert.deepEqual(result.drift.toSorted(), [
        'app/a.php',
        'app/b.php',
        'bin/run',
        'index.php',
        'odd\nname',
        'to-app',
      ]);
      assert.equal(lab.execs() - before, 4, 'probe, manifest, update, drift');
      assert.equal(existsSync(join(lab.release('r2'), 'vendor')), false);
    });

    it('lists what later steps touched and sends it anew', async () => {
      lab.write({ ...site, 'storage/logs/keep': 'k', 'odd\\name': 'o', 'conf/x': 'x' });
      await lab.deploy('r1');
      assert.deepEqual(await lab.touch('r1'), []);
      await lab.sh(
        'mkdir -p shared/storage; cd releases/r1; rm -rf storage; ln -s ../../shared/storage storage; printf A >app/a.php; touch app/b.php; chmod 775 conf; chmod 666 conf/x; printf z > "odd\\\\name"; mkdir vendor; echo v >vendor/v; rm to-app; ln -s bin to-app',
      );
      assert.deepEqual((await lab.touch('r1')).toSorted(), [
        'app/a.php',
        'conf',
        'conf/x',
        'odd\\\\name',
        'storage',
        'storage/logs',
        'storage/logs/keep',
        'to-app',
      ]);
      const { result } = await lab.deploy('r2');
      lab.assertRelease('r2');
      assert.deepEqual(result.drift, []);
      assert.equal(result.files, 5);
    });

    it('turns a valid spare into the release', async function () {
      if (tools === 'no-stat') return;
      lab.write({ ...site, ...weird });
      await lab.deploy('r1');
      await lab.sh('cd releases/r1; printf A >app/a.php');
      await lab.touch('r1');
      writeFileSync(join(lab.release('r1'), 'app/b.php'), 'drifted after the list');
      await lab.spare('r1');
      lab.write({ ...site, ...weird, 'bin/run': 'changed', empty: 'no more' });
      const { result, facts } = await lab.deploy('r2');
      lab.assertRelease('r2');
      assert.deepEqual(facts.spare?.missing, ['app/b.php']);
      assert.equal(result.usedSpare, true);
      assert.equal(result.files, 4);
      assert.deepEqual(
        readdirSync(join(lab.project, '.durant')).filter((name) => name.startsWith('spare')),
        [],
      );
    });

    it('does not trust a spare that somebody changed', async function () {
      if (tools === 'no-stat') return;
      lab.write(site);
      await lab.deploy('r1');
      await lab.spare('r1', 's1');
      writeFileSync(join(lab.project, '.durant/spare.s1/tree/app/b.php'), 'B');
      lab.write({ ...site, 'app/a.php': 'changed' });
      const { result } = await lab.deploy('r2');
      lab.assertRelease('r2');
      assert.equal(result.usedSpare, false);
    });

    it('keeps what hooks put into the release folder before, the tree wins', async () => {
      lab.write(site);
      for (const name of ['r1', 'r2']) {
        await lab.sh(
          `mkdir -p releases/${name}/made/by; cd releases/${name}; echo hook >made/by/hook; echo hook >index.php`,
        );
        await lab.deploy(name);
        assert.equal(readFileSync(join(lab.release(name), 'made/by/hook'), 'utf8'), 'hook\n');
        assert.equal(readFileSync(join(lab.release(name), 'index.php'), 'utf8'), '<?php 1');
      }
    });

    it('is exact under any umask and in setgid folders', async () => {
      lab.write(site);
      await lab.sh('chmod g+s . releases .durant');
      const before = process.umask();
      try {
        for (const [index, mask] of [0o077, 0o000].entries()) {
          process.umask(mask);
          lab.write({ ...site, n: String(index) });
          await lab.deploy(`r${String(index)}`);
          lab.assertRelease(`r${String(index)}`);
          assert.equal(lstatSync(lab.release(`r${String(index)}`)).mode & 0o7777, 0o755);
        }
      } finally {
        process.umask(before);
      }
    });
  });
}

describe('stream', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.remove());

  it('says that the disk is full, and its cleanup leaves nothing', async () => {
    lab.write({ 'big.bin': 'x'.repeat(3_000_000) });
    const limited = {
      ...lab.connection,
      exec: (command: Parameters<Lab['connection']['exec']>[0]) =>
        lab.connection.exec({ ...command, script: `ulimit -f 1000\n${command.script}` }),
    };
    await assert.rejects(lab.deploy('r1', { connection: limited }), { code: 'disk-full' });
    await lab.sh(cleanupScript(lab.project, 'run1', 'r1'));
    assert.deepEqual([...readTree(lab.project).keys()], ['.durant', 'releases']);
  });

  it('says when a file changes while it is sent', async () => {
    lab.write({ a: 'x', b: 'y' });
    const changing = {
      ...lab.connection,
      exec: (command: Parameters<Lab['connection']['exec']>[0]) => {
        writeFileSync(bytes(lab.work, 'b'), 'longer');
        return lab.connection.exec(command);
      },
    };
    await assert.rejects(lab.deploy('r1', { connection: changing }), {
      code: 'verification-failed',
      message: /“tree\/b”|“b”/,
    });
  });

  it('says when what arrived is not what was sent', async () => {
    lab.write({ a: 'x', b: 'y' });
    const changing = {
      ...lab.connection,
      exec: (command: Parameters<Lab['connection']['exec']>[0]) => {
        writeFileSync(bytes(lab.work, 'b'), 'z');
        return lab.connection.exec(command);
      },
    };
    await assert.rejects(lab.deploy('r1', { connection: changing }), { code: 'verification-failed' });
  });

  it('gives a spare up that somebody writes to each time it is looked at', async () => {
    lab.write(site);
    await lab.deploy('r1');
    const spare = join(lab.project, '.durant/spare.s1');
    const [bin, looks] = [join(lab.project, 'bin'), join(lab.project, 'looks')];
    mkdirSync(bin);
    const sleep = `#!/bin/sh\necho >>${quote(looks)}; echo >${quote(`${spare}/tree/not-of-it`)}\n`;
    writeFileSync(join(bin, 'sleep'), sleep, { mode: 0o755 });
    const making = { projectDir: lab.project, run: 's1', release: 'r1', hashTool: 'sha256sum' } as const;
    await lab.sh(`PATH=${quote(bin)}:$PATH; export PATH\n${warmCopyScript(making)}`);
    const left = () => readdirSync(join(lab.project, '.durant'));
    await waitFor('the end of it', () => left().length === 1 || existsSync(join(spare, 'for')));
    assert.equal(readFileSync(looks, 'utf8').length, 3);
    assert.deepEqual(left(), ['manifests']);
  });

  it('ends a spare in the making', async () => {
    lab.write(site);
    await lab.deploy('r1');
    await lab.sh(
      'mkdir .durant/spare.old; echo "sleep 600" >.durant/spare.old/make; setsid sh .durant/spare.old/make </dev/null >/dev/null 2>&1 & echo "$! old" >.durant/spare.lock',
    );
    const pid = Number(readFileSync(join(lab.project, '.durant/spare.lock'), 'utf8').split(' ')[0]);
    process.kill(pid, 0);
    lab.write({ ...site, n: '1' });
    await lab.deploy('r2');
    const left = (await allProcesses()).filter((found) => found.pid === pid);
    assert.deepEqual(left, []);
    assert.deepEqual(readdirSync(join(lab.project, '.durant')), ['manifests']);
  });

  it('moves 10,000 files, then eight', async () => {
    const many: Record<string, string> = {};
    for (let index = 0; index < 10_000; index += 1)
      many[`d${String(index % 300)}/sub/f${String(index)}`] = `file ${String(index)}`;
    lab.write(many);
    await lab.deploy('r1');
    lab.assertRelease('r1');
    const changed = Object.fromEntries(
      Object.keys(many)
        .slice(0, 8)
        .map((path) => [path, 'new']),
    );
    lab.write({ ...many, ...changed });
    const { result } = await lab.deploy('r2');
    lab.assertRelease('r2');
    assert.equal(result.files, 8);
    assert.ok(result.wireBytes < 100_000);
  });
});
