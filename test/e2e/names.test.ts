/** Names that somebody has given to files on the server reach no shell. */
import assert from 'node:assert/strict';
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
import { makeWorld, type World } from './world.ts';

describe('names of files on the server', function () {
  let world: World;
  let tools: string;
  const hostile = '$(touch ran);touch ran';

  before(async () => {
    tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
    // A release of this name cannot be removed.
    writeFileSync(
      join(tools, 'mv'),
      `#!/bin/sh\ncase "$*" in releases/*touch*) echo 'mv: not permitted' >&2; exit 1;; esac\nexec /bin/mv "$@"\n`,
      { mode: 0o755 },
    );
    world = await makeWorld({
      servers: [{ path: `${tools}:/usr/bin:/bin` }],
      conf: ['keep_releases = 1', 'spare = no'],
    });
  });
  after(async () => {
    await world.remove();
    rmSync(tools, { recursive: true, force: true });
  });

  it('are words to the end of a run, which says what it could not remove', async () => {
    assert.equal((await world.run(['--json', 'deploy', 'production'])).status, 0);
    const [first = ''] = world.releases();
    const record = readFileSync(join(world.site(), '.durant/releases', `${first}.ini`), 'utf8');
    const earlier = record.replace(/^(started|finished) = .*$/gm, '$1 = "2001-01-01T00:00:00.000Z"');
    writeFileSync(join(world.site(), '.durant/releases', `${hostile}.ini`), earlier);
    mkdirSync(join(world.site(), 'releases', hostile));

    const result = await world.run(['--json', 'deploy', '--again', 'production']);
    assert.equal(result.status, 0, result.stdout);
    assert.match(result.stdout, /tries again: releases\/\$\(touch ran\);touch ran\./);
    const ran = [world.site(), world.servers[0]?.home ?? ''].filter((folder) =>
      existsSync(join(folder, 'ran')),
    );
    assert.deepEqual(ran, [], readdirSync(world.site()).join(' '));
  });
});
