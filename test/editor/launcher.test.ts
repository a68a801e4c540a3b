/** `durant` in VS Code's terminals: the file that starts the command line. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeLauncher } from '../../src/editor/launcher.ts';

const run = promisify(execFile);

describe('the command durant of the editor', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-it is here '));
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is started with its arguments, from any path, and passes no setting of the editor on', async () => {
    const cli = join(folder, "an editor's extension", 'cli.cjs');
    mkdirSync(join(cli, '..'));
    writeFileSync(
      cli,
      'console.log(JSON.stringify([process.argv.slice(2), process.env.ELECTRON_RUN_AS_NODE ?? null]));',
    );
    const bin = join(folder, 'bin $HOME');
    await writeLauncher(bin, { node: process.execPath, cli });
    const { stdout } = await run('sh', ['-c', 'durant deploy "a  stage" \'$x\''], {
      env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    assert.deepEqual(JSON.parse(stdout), [['deploy', 'a  stage', '$x'], null]);
  });

  it('is left alone where it is as it should be, and replaced where it is not', async () => {
    const bin = join(folder, 'again');
    const launch = { node: process.execPath, cli: join(folder, 'cli.cjs') };
    await writeLauncher(bin, launch);
    const { ino } = statSync(join(bin, 'durant'));
    await writeLauncher(bin, launch);
    assert.equal(statSync(join(bin, 'durant')).ino, ino);
    await writeLauncher(bin, { ...launch, node: '/elsewhere/node' });
    assert.notEqual(statSync(join(bin, 'durant')).ino, ino);
  });
});
