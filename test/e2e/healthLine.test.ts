/** A line that is lost while the site is checked, and what is said of servers that could not be switched back. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitVersion, onEvent, step } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';
import { waitFor } from '../support/wait.ts';

describe('a line that is lost in the health check', function () {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld({ servers: [{}, {}], line: 'proxied' });
    world.configure(['spare = no', 'dead_man = no']);
    // A dead line is noticed in seconds instead of the default minute.
    appendFileSync(
      join(world.home.directory, 'ssh/ssh_config'),
      '  ServerAliveInterval 3\n  ServerAliveCountMax 3\n',
    );
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    commitVersion(world, 'v2');
  });
  afterEach(() => world.remove());

  const note = (server: number, name: string) => join(world.servers[server]?.home ?? '', name);
  const check = (...lines: readonly string[]) =>
    world.configure([
      'spare = no',
      'dead_man = no',
      'connect_timeout = 10s',
      'health_retries = 3',
      'health_timeout = 60s',
      `health_check = ${lines.join('; ')}`,
    ]);

  it('is told as what it is, and is no failed check', async () => {
    check('touch ~/asked', `[ "$DURANT_SERVER" = "${world.servers[0]?.entry ?? ''}" ] || sleep 30`);
    const run = world.start(['--json', 'deploy', 'production']);
    await waitFor('the check', () => existsSync(note(1, 'asked')), 60_000);
    world.proxies[1]?.cut();
    const { error } = finishedOf(await run.result) as { error: { code: string; message: string } };
    assert.equal(error.code, 'connection-lost', error.message);
    assert.ok(error.message.includes(world.servers[1]?.entry ?? '?'));
    assert.doesNotMatch(error.message, /switched back/);
  });

  it('a failed check does not say that all were switched back where one could not be', async () => {
    check(
      'touch ~/asked',
      `[ "$DURANT_SERVER" = "${world.servers[0]?.entry ?? ''}" ] || exit 0`,
      'while [ ! -e ~/go ]',
      'do sleep 0.1',
      'done',
      'exit 7',
    );
    const run = world.start(['--json', 'deploy', 'production']);
    onEvent(run, step('health_check', 'done', world.servers[1]), () => {
      world.proxies[1]?.cut();
      writeFileSync(note(0, 'go'), '');
    });
    const result = await run.result;
    const { error } = finishedOf(result) as { error: { code: string; message: string } };
    assert.equal(error.code, 'health-check-failed', result.stdout);
    assert.match(error.message, /Not every server could be switched back: /);
    assert.doesNotMatch(error.message, /Every server was/);
    assert.ok(error.message.includes(`switched back: ${world.servers[1]?.entry ?? '?'}`));
  });
});
