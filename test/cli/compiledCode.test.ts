/** The compiled code that a start leaves for the next one: used where only the user could have written it, and never in the way. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledCode } from '../../src/cli/compiledCode.ts';
import { makeCliHome, startCli, type CliHome } from '../support/cli.ts';

describe('compiled code is kept from start to start', () => {
  let home: CliHome;
  let project: string;
  let folder: string;
  before(async () => {
    home = await makeCliHome();
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    folder = join(home.directory, '.cache', 'durant', 'compiled');
  });
  after(async () => {
    rmSync(project, { recursive: true, force: true });
    await home.remove();
  });
  const run = async (...args: string[]) =>
    // As users run it: tests have Node keep what it compiles.
    startCli(args, { home, cwd: project, env: { NODE_COMPILE_CACHE: undefined } }).result;
  const kept = () => readdirSync(folder).map((name) => join(folder, name));

  it('by the first of a command, for the user alone, and outside of the project', async () => {
    const first = await run('stages', '--help');
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(
      kept().map((path) => path.slice(folder.length + 1).replace(/-.*/, '')),
      ['stages'],
    );
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(kept()[0] ?? '').mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(project), []);
    const { mtimeMs, ino } = statSync(kept()[0] ?? '');
    const second = await run('stages', '--help');
    assert.equal(second.stdout, first.stdout);
    const now = statSync(kept()[0] ?? '');
    assert.deepEqual([now.mtimeMs, now.ino], [mtimeMs, ino], 'it was used, not written anew');
  });

  it('is made anew where it was spoiled', async () => {
    const [path = ''] = kept();
    const whole = readFileSync(path);
    const spoiled = Buffer.from(whole);
    spoiled.fill(0, whole.length / 2);
    for (const content of [spoiled, whole.subarray(0, 1000), Buffer.alloc(0)]) {
      writeFileSync(path, content);
      const result = await run('stages', '--help');
      assert.equal(result.status, 0, result.stderr);
      assert.equal(readFileSync(path).length > 10_000, true);
    }
  });

  it('is read from no folder or file that others may write', () => {
    const own = compiledCode(folder, Buffer.from('1'), 'deploy');
    own.write(Buffer.from('code'));
    assert.equal(own.read()?.toString(), 'code');
    assert.equal(compiledCode(folder, Buffer.from('2'), 'deploy').read(), undefined, 'another program');
    const file = kept().find((path) => path.includes('/deploy-')) ?? '';
    for (const [path, closed] of [
      [folder, 0o700],
      [file, 0o600],
    ] as const) {
      chmodSync(path, closed | 0o022);
      assert.equal(own.read(), undefined, path);
      chmodSync(path, closed);
      assert.equal(own.read()?.toString(), 'code');
    }
  });

  it('stops nobody where it cannot be kept', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    const result = await run('stages', '--help');
    assert.equal(result.status, 0, result.stderr);
    assert.equal(result.stderr, '');
    rmSync(folder);
  });

  it('says nothing of how Node loads what is imported later', async () => {
    writeFileSync(join(project, 'durant.conf'), '');
    for (let time = 0; time < 2; time += 1) {
      const { status, stderr } = await run('mcp');
      assert.deepEqual([status, stderr], [0, '']);
    }
    rmSync(join(project, 'durant.conf'));
  });
});
