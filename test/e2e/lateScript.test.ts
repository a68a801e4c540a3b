/** A script that arrived over a line that was cut, and that the server begins only when its run has put everything back. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../support/wait.ts';
import { assertTidy, commitVersion, stateOf } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a script of a line that was cut', function () {
  let tools: string;
  let world: World;
  before(async () => {
    // By this the server reads each script. The switch, while `~/hold` is there, has been read, and begins when `~/go` is there.
    tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
    mkdirSync(join(tools, 'bin'));
    writeFileSync(
      join(tools, 'bin/dd'),
      `#!/bin/sh
text=$(/bin/dd "$@"; echo .)
case $text in *"' current releases/"*) ;; *) printf %s "\${text%.}"; exit;; esac
if rm ~/hold 2>/dev/null; then
  echo $PPID > ~/held.new; mv ~/held.new ~/held
  while ! [ -e ~/go ]; do sleep 0.02; done
fi
printf %s "\${text%.}"
`,
      { mode: 0o755 },
    );
    // Where nobody hears it any more a script ends at its first word, unless the server ignores that, or has not noticed yet.
    const shell = join(tools, 'shell');
    writeFileSync(shell, `#!/bin/sh\ntrap '' PIPE\nexec /bin/sh "$@"\n`, { mode: 0o755 });
    world = await makeWorld({
      servers: [{ shell, path: `${join(tools, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin` }],
      line: 'proxied',
    });
  });
  after(async () => {
    await world.remove();
    rmSync(tools, { recursive: true, force: true });
  });

  it('does nothing when it begins after the run has switched back', async () => {
    const quiet = ['spare = no', 'keep_releases = -1'];
    world.configure(quiet);
    commitVersion(world, 'v1');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const [first = ''] = world.releases();
    const home = world.servers[0]?.home ?? '';

    commitVersion(world, 'v2');
    world.configure([
      ...quiet,
      'before_symlink = touch ~/hold',
      // Between what puts everything back and the end of the lock: the script begins, and has ended.
      'on_failure = touch ~/go; while kill -0 "$(cat ~/held)" 2>/dev/null; do sleep 0.02; done',
    ]);
    const run = world.start(['--json', 'deploy', 'production']);
    await waitFor('the switch to have arrived', () => existsSync(join(home, 'held')));
    world.proxies[0]?.cut();
    world.proxies[0]?.mend();
    const result = await run.result;
    assert.equal((finishedOf(result)['error'] as { code: string }).code, 'connection-lost');
    assert.equal(world.live(), first);
    const failed = world.releases().find((name) => name !== first);
    if (failed !== undefined) assert.equal(stateOf(world, failed), 'failed');

    world.configure(quiet);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(world.read('index.html'), 'v2\n');
    assertTidy(world);
  });
});
