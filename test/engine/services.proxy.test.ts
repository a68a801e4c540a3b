/** Two projects that change their sites on one server at once: real shells, and a Caddy that notices whoever reloads it in between. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyScript } from '../../src/engine/app/apply.ts';
import { markOf } from '../../src/engine/app/serviceSet.ts';

const ROUNDS = 20;

describe('sites of several projects on one server', function () {
  let folder: string;
  const sites = (): string => join(folder, 'conf.d');
  const textOf = (project: string, round: number): string =>
    `# ${markOf(project)}\n${project} {\n  # ${round}\n}\n`;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    folder = mkdtempSync(join(tmpdir(), 'durant-proxy-'));
    mkdirSync(join(folder, 'bin'));
    const tool = (name: string, text: string): void =>
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    tool('systemctl', 'exit 1');
    tool(
      'caddy',
      `mkdir ${folder}/busy || { echo overlap >> ${folder}/seen; exit 1; }\nsleep 0.01; rmdir ${folder}/busy`,
    );
    // Slow enough that another project's copy can come between.
    tool('cp', 'sleep 0.01; exec /bin/cp "$@"');
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const apply = async (name: string, round: number): Promise<string> => {
    const project = join(folder, name);
    mkdirSync(join(project, '.durant'), { recursive: true });
    const script = applyScript({
      set: {
        manager: 'system',
        units: [],
        site: { path: join(sites(), `${name}.caddy`), text: textOf(name, round) },
      },
      project: name,
      sudo: { kind: 'none' },
      proxyDir: sites(),
      serving: [],
      left: 'stopped',
      kept: [],
    });
    const shell = spawn('sh', ['-s'], {
      cwd: project,
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` },
    });
    const said: Buffer[] = [];
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
    shell.stdin.end(script);
    const status = await new Promise((resolve) => shell.once('close', resolve));
    return status === 0 ? '' : `${String(status)}: ${Buffer.concat(said).toString()}`;
  };

  it(`are right after ${ROUNDS} rounds of two at once`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ends = await Promise.all([apply('one', round), apply('two', round)]);
      assert.deepEqual(ends, ['', ''], `round ${round}`);
      for (const name of ['one', 'two'])
        assert.equal(readFileSync(join(sites(), `${name}.caddy`), 'utf8'), textOf(name, round));
    }
    assert.equal(existsSync(join(folder, 'seen')), false);
    assert.deepEqual(readdirSync(sites()).toSorted(), ['one.caddy', 'two.caddy']);
  });
});
