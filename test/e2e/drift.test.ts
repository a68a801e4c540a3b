/** What is changed on the server after a deploy: by somebody there, which is said and not carried on; by Durant's own commands, which is not. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { makeWorld, type World } from './world.ts';

const SERVERS = [0, 1];

for (const strategy of ['releases', 'inplace'] as const)
  describe(`drift (strategy: ${strategy})`, function () {
    let world: World;
    let version = 0;
    const root = (server: number): string =>
      strategy === 'inplace' ? world.site(server) : join(world.site(server), 'current');
    const file = (path: string, server = 0): string => join(root(server), path);
    const text = (path: string, server = 0): string => readFileSync(file(path, server), 'utf8');
    const configure = (...lines: string[]): void =>
      world.configure([
        `strategy = ${strategy}`,
        ...(strategy === 'releases' ? ['spare = no'] : []),
        ...lines,
      ]);
    const commit = (files: Record<string, string | null> = {}): void => {
      version += 1;
      world.repository.commit({ message: `v${version}`, files: { 'version.txt': `${version}\n`, ...files } });
    };
    const run = async (...args: string[]): Promise<CliResult> => {
      const result = await world.run(['--json', ...args, 'production']);
      assert.equal(result.status, 0, result.stdout);
      return result;
    };
    const drift = (result: CliResult, server = 0): string[] =>
      result.events
        .filter((event) => event['code'] === 'drift' && event['server'] === world.servers[server]?.entry)
        .map((event) => String(event['message']))
        .toSorted();

    before(async () => {
      world = await makeWorld({
        servers: [{}, { tools: 'busybox' }],
        commits: [
          {
            message: 'First',
            files: {
              'hooked.txt': 'of the commit\n',
              'hooked-away.txt': 'of the commit\n',
              'edited.txt': 'of the commit\n',
              'removed.txt': 'of the commit\n',
              'obsolete.txt': 'of the commit\n',
              'same\nname.txt': 'of the commit\n',
              'folder/kept.txt': 'of the commit\n',
            },
          },
        ],
      });
    });
    after(() => world.remove());

    /** The same size as what it replaces, a size of its own, a file that goes, one that comes. */
    const change = `printf 'OF THE COMMIT\\n' > hooked.txt; echo more >> folder/kept.txt; rm hooked-away.txt; echo x > made.txt`;
    const OWN: readonly (readonly [what: string, lines: readonly string[]])[] = [
      ...(
        [
          'after_symlink',
          'health_check',
          'before_cleanup',
          'after_cleanup',
          'after_deploy',
          ...(strategy === 'inplace' ? ['after_update_code', 'vendors', 'release_command'] : []),
        ] as const
      ).map((key) => [key, [`${key} = ${change.replaceAll('%', '%%')}`]] as const),
      ...(strategy === 'inplace'
        ? ([
            ['clear_paths', ['clear_paths = folder, hooked.txt']],
            [
              'writable_dirs',
              [
                'writable_dirs = folder',
                'writable_mode = chmod',
                'writable_recursive = yes',
                'writable_chmod_mode = 0777',
              ],
            ],
          ] as const)
        : []),
    ];
    for (const [what, lines] of OWN)
      it(`is not what ${what} of the run itself has changed`, async () => {
        configure(...lines);
        commit();
        await run('deploy');
        configure();
        commit();
        const shown = await run('-n', 'deploy');
        const result = await run('deploy');
        for (const server of SERVERS) {
          assert.deepEqual([...drift(shown, server), ...drift(result, server)], []);
          for (const path of ['hooked.txt', 'hooked-away.txt', 'folder/kept.txt'])
            if (strategy === 'releases' || existsSync(file(path, server)))
              assert.equal(text(path, server), 'of the commit\n', path);
        }
        // What inplace does not delete is nobody's to compare.
        for (const server of SERVERS) rmSync(file('made.txt', server), { force: true });
      });

    it('is not what after_rollback of a rollback has changed', async () => {
      configure(`after_rollback = ${change.replaceAll('%', '%%')}`);
      await run('rollback');
      configure();
      commit();
      const result = await run('deploy');
      for (const server of SERVERS) {
        assert.deepEqual(drift(result, server), []);
        assert.equal(text('hooked.txt', server), 'of the commit\n');
      }
    });

    if (strategy === 'releases')
      it('is not what after_rollback of a switch-back has changed', async () => {
        configure(
          `after_rollback = ${change.replaceAll('%', '%%')}`,
          'health_check = false',
          'health_retries = 0',
        );
        commit();
        assert.equal((await world.run(['deploy', 'production'])).status, 1);
        assert.equal(text('hooked.txt'), 'OF THE COMMIT\n');
        configure();
        commit();
        const result = await run('deploy');
        for (const server of SERVERS) {
          assert.deepEqual(drift(result, server), []);
          assert.equal(text('hooked.txt', server), 'of the commit\n');
        }
      });

    it('is what somebody has changed there: each file is named, and none is carried on', async () => {
      // Beside it what the run's own commands have changed.
      configure(`after_symlink = ${change.replaceAll('%', '%%')}`);
      commit();
      await run('deploy');
      configure(...(strategy === 'inplace' ? ['delete = yes'] : []));
      for (const server of SERVERS) {
        writeFileSync(file('edited.txt', server), 'OF THE COMMIT\n');
        appendFileSync(file('same\nname.txt', server), 'more\n');
        rmSync(file('removed.txt', server));
        chmodSync(file('folder/kept.txt', server), 0o600);
        appendFileSync(file('obsolete.txt', server), 'precious\n');
      }
      commit({ 'obsolete.txt': null });
      const expected = [
        /^edited\.txt was changed on the server after it was deployed\./,
        ...(strategy === 'inplace'
          ? [/^obsolete\.txt was changed on the server .* It is deleted, as the commit has no such file\.$/]
          : []),
        strategy === 'inplace'
          ? /^removed\.txt was removed on the server .* It is put back as the commit has it\.$/
          : /^removed\.txt was changed/,
        /^same\nname\.txt was changed/,
      ];
      const assertSaid = (result: CliResult): void => {
        for (const server of SERVERS) {
          const said = drift(result, server);
          assert.equal(said.length, expected.length, said.join('\n'));
          for (const [index, pattern] of expected.entries()) assert.match(said[index] ?? '', pattern);
        }
      };
      if (strategy === 'inplace') {
        assertSaid(await run('-n', 'deploy'));
        assert.equal(text('edited.txt'), 'OF THE COMMIT\n');
      }
      assertSaid(await run('deploy'));
      for (const server of SERVERS) {
        for (const path of ['edited.txt', 'same\nname.txt', 'removed.txt'])
          assert.equal(text(path, server), 'of the commit\n', path);
        assert.equal(existsSync(file('obsolete.txt', server)), false);
      }
      commit();
      const next = await run('deploy');
      for (const server of SERVERS) assert.deepEqual(drift(next, server), [], 'said once');
    });
  });
