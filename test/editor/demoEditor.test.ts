import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCleanArea, type CleanArea } from '../support/clean.ts';
import { waitFor } from '../support/wait.ts';

describe('npm run demo:editor', function () {
  this.timeout(180_000);
  let area: CleanArea;
  let demo: ChildProcess | undefined;
  let output = '';

  beforeEach(() => {
    area = openCleanArea();
    output = '';
  });

  afterEach(async () => {
    demo?.kill('SIGKILL');
    await area.finish();
  });

  function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(process.execPath, ['scripts/demo-editor.mjs', ...args], {
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    demo = child;
    return child;
  }

  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    waitFor(`${String(pattern)} to be printed`, () => pattern.exec(output) ?? undefined, 150_000).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${output}`);
      },
    );

  it('prints the address of an editor, and leaves nothing when it is ended', async () => {
    const child = start(['--browser']);
    const [, address = ''] = await says(/with Durant: (http:\S+)/);
    const page = await fetch(address);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /workbench/);
    const folder = new URL(address).searchParams.get('folder') ?? '';
    assert.ok(existsSync(join(folder, 'durant.conf')));
    assert.ok(existsSync(join(folder, '..', 'server', 'shop', 'current', 'old.html')));
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!existsSync(folder));
    await assert.rejects(fetch(address));
  });

  it('opens the editor of the desktop where there is one, and ends with its window', async () => {
    const bin = join(tmpdir(), 'bin');
    const said = join(bin, 'said');
    await mkdir(bin);
    await writeFile(
      join(bin, 'code'),
      `#!/bin/sh\n[ "$1" = --version ] && { echo 1.100.0; exit; }\nfor word; do echo "$word"; done >>${said}\n`,
      { mode: 0o755 },
    );
    const [status] = (await once(start([], { PATH: `${bin}:${process.env['PATH'] ?? ''}` }), 'exit')) as [
      number,
    ];
    assert.equal(status, 0, output);
    const words = readFileSync(said, 'utf8').split('\n');
    assert.ok(words.some((word) => word.endsWith('durant.vsix')));
    assert.ok(words.includes('--wait'));
    assert.ok(words.some((word) => word.endsWith('/shop')));
    await rm(bin, { recursive: true });
  });
});
