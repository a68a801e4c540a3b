import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestLine } from '../../src/transfer/tree/manifest.ts';
import { scanTree, type ScanRequest } from '../../src/transfer/tree/scan.ts';
import { waitFor } from '../support/wait.ts';

const commitTimeMs = Date.UTC(2026, 0, 2);

describe('scan', () => {
  let root: string;
  let work: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'durant-scan-'));
    work = join(root, 'work');
    mkdirSync(work);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const scan = (more: Partial<ScanRequest> = {}) =>
    scanTree({
      workTree: work,
      subDirectory: undefined,
      tracked: [],
      commitTimeMs,
      exclude: () => false,
      cacheFile: join(root, 'cache/hashes'),
      signal: new AbortController().signal,
      ...more,
    });

  describe('where the system has names and modes otherwise', () => {
    const utf8 = (name: string) => Buffer.from(name).toString('latin1');
    const macos = { ignoresCase: true, recomposesNames: true, hasModes: true };
    const windows = { ignoresCase: true, recomposesNames: false, hasModes: false };
    const file = (path: string) => ({ path: utf8(path), mode: '100644' }) as const;
    const names = async (more: Partial<ScanRequest>) =>
      (await scan(more)).entries.map((entry) => Buffer.from(entry.path, 'latin1').toString());

    it('sends the names of the commit, in its composition and its case', async () => {
      mkdirSync(join(work, 'SRC'));
      for (const name of ['SRC/Main.JS', 'SRC/built.js', 'cafe\u0301.txt', 'e\u0301-own.txt'])
        writeFileSync(join(work, name), name);
      const tracked = [file('src/main.js'), file('caf\u00e9.txt')];
      assert.deepEqual(await names({ tracked, system: macos }), [
        'caf\u00e9.txt',
        'e\u0301-own.txt',
        'src',
        'src/built.js',
        'src/main.js',
      ]);
      assert((await names({ tracked, system: windows })).includes('cafe\u0301.txt'));
      assert((await names({ tracked })).includes('SRC/Main.JS'));
    });

    it('is an error where two names of the commit are one there, folders too', async () => {
      for (const [one, other] of [
        ['README', 'readme'],
        ['Src/a', 'src/b'],
        ['caf\u00e9', 'cafe\u0301'],
      ] as const) {
        const tracked = [file(one), file(other)];
        await assert.rejects(scan({ tracked, system: macos }), {
          code: 'checkout-failed',
          message: /one name for this system/,
        });
        await scan({ tracked });
      }
      await scan({ tracked: [file('src/a'), file('src/b')], system: macos });
    });

    it('gives what was built no mode that lets everybody write', async () => {
      writeFileSync(join(work, 'built'), '');
      execFileSync('chmod', ['666', join(work, 'built')]);
      const [entry] = (await scan({ system: windows })).entries;
      assert.equal(entry?.mode.toString(8), '644');
    });
  });

  it("gives tracked files git's mode and the commit's time, others their own, never setuid", async () => {
    for (const [name, mode] of [
      ['tracked', '600'],
      ['script', '644'],
      ['built', '4751'],
      ['folder', ''],
    ] as const) {
      if (mode === '') mkdirSync(join(work, name), { mode: 0o700 });
      else {
        writeFileSync(join(work, name), name);
        execFileSync('chmod', [mode, join(work, name)]);
        utimesSync(join(work, name), 1000, 1000);
      }
    }
    symlinkSync('/nowhere', join(work, 'link'));
    const tree = await scan({
      tracked: [
        { path: 'tracked', mode: '100644' },
        { path: 'script', mode: '100755' },
        { path: 'link', mode: '120000', blob: '' },
      ],
    });
    assert.deepEqual(
      tree.entries.map((entry) => [entry.path, entry.type, entry.mode.toString(8), entry.mtimeMs]),
      [
        ['built', 'file', '751', 1_000_000],
        ['folder', 'dir', '755', commitTimeMs],
        ['link', 'link', '777', commitTimeMs],
        ['script', 'file', '755', commitTimeMs],
        ['tracked', 'file', '644', commitTimeMs],
      ],
    );
    assert.equal(tree.entries[2]?.target, '/nowhere');
  });

  it('sends a link that git checked out as a file, and what a build put in the place of one', async () => {
    // git hash-object of "../shared/logo.svg", the target of both links in the commit.
    const blob = execFileSync('git', ['hash-object', '--stdin'], { input: '../shared/logo.svg' });
    for (const [name, content] of [
      ['link', '../shared/logo.svg'],
      ['replaced', '<svg/>'],
    ] as const)
      writeFileSync(join(work, name), content);
    const tree = await scan({
      tracked: ['link', 'replaced'].map((path) => ({
        path,
        mode: '120000' as const,
        blob: String(blob).trim(),
      })),
    });
    assert.deepEqual(
      tree.entries.map(({ path, type, mode, size, target }) => [path, type, mode, size, target]),
      [
        ['link', 'link', 0o777, 18, '../shared/logo.svg'],
        ['replaced', 'file', 0o644, 6, ''],
      ],
    );
    rmSync(join(work, 'link'));
    symlinkSync('../shared/logo.svg', join(work, 'link'));
    const [linked] = (await scan()).entries;
    assert.equal(linked?.hash, tree.entries[0]?.hash);
  });

  it('takes a sub_directory, with its tracked files, and refuses one outside', async () => {
    mkdirSync(join(work, 'dist/css'), { recursive: true });
    writeFileSync(join(work, 'dist/css/a.css'), 'a');
    writeFileSync(join(work, 'other'), 'o');
    const tree = await scan({
      subDirectory: './dist/',
      tracked: [{ path: 'dist/css/a.css', mode: '100755' }],
    });
    assert.deepEqual(
      tree.entries.map((entry) => `${entry.path} ${entry.mode.toString(8)}`),
      ['css 755', 'css/a.css 755'],
    );
    symlinkSync(tmpdir(), join(work, 'escape'));
    for (const subDirectory of ['missing', 'other', '../work2', '..', 'escape'])
      await assert.rejects(scan({ subDirectory }), { code: 'config-invalid' }, subDirectory);
  });

  it('warns of sockets and pipes, and of a REVISION of the tree, and sends neither', async () => {
    execFileSync('mkfifo', [join(work, 'pipe')]);
    writeFileSync(join(work, 'REVISION'), 'mine');
    mkdirSync(join(work, 'deeper'));
    writeFileSync(join(work, 'deeper/REVISION'), 'kept');
    const tree = await scan();
    assert.deepEqual(
      tree.entries.map((entry) => entry.path),
      ['deeper', 'deeper/REVISION'],
    );
    assert.equal(tree.warnings.length, 2);
    assert.deepEqual(
      (await scan({ reserved: [] })).entries.map((entry) => entry.path),
      ['REVISION', 'deeper', 'deeper/REVISION'],
    );
  });

  it('remembers hashes, and never an outdated one', async () => {
    writeFileSync(join(work, 'a'), 'one');
    writeFileSync(join(work, 'odd\nname\\'), 'two');
    await waitFor(
      'settled time stamps',
      () => Date.now() - lstatSync(join(work, 'odd\nname\\')).ctimeMs > 60,
    );
    const first = await scan();
    const cache = await readFile(join(root, 'cache/hashes'), 'latin1');
    assert.equal(cache.split('\n').length, 4);
    assert.deepEqual((await scan()).entries.map(manifestLine), first.entries.map(manifestLine));
    // Same size, same mtime: only ctime tells.
    const before = lstatSync(join(work, 'a'));
    writeFileSync(join(work, 'a'), 'eno');
    utimesSync(join(work, 'a'), before.atime, before.mtime);
    const second = await scan();
    assert.notEqual(second.entries[0]?.hash, first.entries[0]?.hash);
    // Changed within the clock's step of a scan: not remembered.
    writeFileSync(join(work, 'a'), 'noe');
    await scan();
    writeFileSync(join(work, 'a'), 'neo');
    const third = await scan({ cacheFile: undefined });
    assert.deepEqual((await scan()).entries[0]?.hash, third.entries[0]?.hash);
  });

  it('ends when cancelled', async () => {
    const controller = new AbortController();
    for (let index = 0; index < 3000; index += 1) writeFileSync(join(work, String(index)), 'x'.repeat(5000));
    setImmediate(() => controller.abort());
    await assert.rejects(scan({ signal: controller.signal }), { code: 'cancelled' });
  });

  it('leaves the event loop free', async () => {
    for (let index = 0; index < 4000; index += 1) writeFileSync(join(work, String(index)), String(index));
    // Turns are counted, as a busy machine makes each take long: it is one where all is read at once, and dozens where it is not.
    let turns = 0;
    let going = true;
    const turn = (): void => {
      turns += 1;
      if (going) setImmediate(turn);
    };
    setImmediate(turn);
    await scan();
    going = false;
    assert.ok(turns > 5, `${String(turns)} turns`);
  });
});
