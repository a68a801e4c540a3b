/** `deploy -n --verbose`: every step of every server with its reason, and the exact commands, without a secret in them. */
import assert from 'node:assert/strict';
import { makeWorld, type World } from './world.ts';

describe('deploy -n --verbose', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
  });
  after(() => world.remove());

  it('lists steps with their reasons, and commands where they would run', async () => {
    world.configure([
      'env = TOKEN=secret!token',
      'shared_dirs = uploads',
      'vendors = echo install hunter-two',
      'release_command = echo migrate',
      'before_symlink =',
      '    once! echo on the first',
      '    local! echo here',
      '    echo on each',
      'after_cleanup = echo cleaned',
      'after_deploy = echo deployed',
    ]);
    const env = { DURANT_SECRET_TOKEN: 'hunter-two' };
    const result = await world.run(['deploy', '-n', '--verbose', 'production'], { env });
    assert.equal(result.status, 0, result.stderr);
    const [first, second] = world.servers.map(({ entry }) => entry);
    const section = (heading: string): string => {
      const from = result.stdout.indexOf(heading);
      assert.ok(from >= 0, `${heading}\n${result.stdout}`);
      return result.stdout.slice(from + heading.length).split('\n\n')[0] ?? '';
    };
    for (const entry of [first, second]) {
      const steps = section(`Steps on ${entry ?? ''}\n`);
      for (const line of [
        /^\s+prepare\s+pending: project_dir .* does not exist yet$/m,
        /^\s+lock\s+pending: nobody holds the lock$/m,
        /^\s+update_code\s+pending: \d+ to add, 0 to change, 0 to delete, 0 unchanged$/m,
        /^\s+shared\s+pending: uploads to link, uploads made first$/m,
        /^\s+vendors\s+pending: 1 to run$/m,
        /^\s+symlink\s+pending: nothing is live yet$/m,
      ])
        assert.match(steps, line);
      assert.match(
        steps,
        entry === first
          ? /release_command\s+pending/
          : /release_command\s+already achieved: runs on the first server only/,
      );
    }
    assert.match(section('Commands here\n'), /^\s+before_symlink: echo here$/m);
    const commands = section(`Commands on ${first ?? ''}\n`);
    assert.deepEqual(
      commands
        .trim()
        .split('\n')
        .map((line) => line.trim()),
      [
        'vendors: echo install ***',
        'release_command: echo migrate',
        'before_symlink: echo on the first',
        'before_symlink: echo on each',
        'after_cleanup: echo cleaned',
        'success: echo deployed',
      ],
    );
    assert.doesNotMatch(section(`Commands on ${second ?? ''}\n`), /migrate|on the first|here/);
    assert.doesNotMatch(result.stdout + result.stderr, /hunter-two/);

    assert.equal((await world.run(['deploy', 'production'], { env })).status, 0);
    const again = await world.run(['deploy', '-n', '--verbose', 'production'], { env });
    assert.match(again.stdout, /symlink\s+already achieved: .* is live: same commit, same recipe/);
  });
});
