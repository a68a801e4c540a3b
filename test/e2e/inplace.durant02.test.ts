/** A project of Durant 0.2 with the configuration that its sample taught: it deploys unchanged once `strategy: inplace` stands in it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a durant.conf of Durant 0.2', function () {
  let world: World;
  let temporary: string;
  const conf = (strategy: string): string => {
    const server = world.servers[0];
    return `# Deployment of the shop
[DEFAULT]
repository: ${world.repository.directory}
temp_dir: ${temporary}
exclude:
    node_modules
    *.scss
    /tests
${strategy}
[production]
server: 127.0.0.1
user: ${server?.user}
ssh_port: ${server?.port}
ssh_identity: ${server?.clientKey}
project_dir: ${world.site()}
branch: main
before_deploy: sh make.sh all

[Staging]
server:
    local
user: nobody
remote: origin
branch: main
project_dir: ${join(world.project, 'staging')}
before_deploy:
    mkdir -p build
    cp index.html build/staging.html
`;
  };
  before(async () => {
    world = await makeWorld({
      commits: [
        {
          message: 'Shop',
          files: {
            'index.html': 'shop\n',
            'make.sh': 'echo "$1" > made.txt\n',
            'css/main.scss': 'scss\n',
            'css/main.css': 'css\n',
            'tests/a.js': 'test\n',
            'sub/tests/b.js': 'stays\n',
            'node_modules/x.js': 'no\n',
            '.gitignore': 'made.txt\n',
          },
        },
      ],
    });
    temporary = mkdtempSync(join(tmpdir(), 'durant-temp-dir-'));
    mkdirSync(world.site());
    writeFileSync(join(world.site(), 'robots.txt'), 'theirs\n');
  });
  after(async () => {
    await world.remove();
    rmSync(temporary, { recursive: true, force: true });
  });

  it('is refused on a folder full of files, and told what to write', async () => {
    writeFileSync(join(world.project, 'durant.conf'), conf(''));
    const result = await world.run(['--json', 'deploy', 'production']);
    const error = finishedOf(result)['error'] as { code: string; message: string };
    assert.equal(error.code, 'unmanaged-project-dir', result.stdout);
    assert.match(error.message, /strategy: inplace/);
    assert.equal(existsSync(join(world.site(), 'index.html')), false);
  });

  it('deploys with that line in it', async () => {
    writeFileSync(join(world.project, 'durant.conf'), conf('strategy: inplace\n'));
    const check = JSON.parse((await world.run(['--json', 'check'])).stdout);
    assert.equal(check.ok, true, JSON.stringify(check.problems));
    assert.ok(check.problems.some((problem: { code: string }) => problem.code === 'inplace-web-root'));
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    const read = (path: string): string => readFileSync(join(world.site(), path), 'utf8');
    assert.equal(read('index.html'), 'shop\n');
    assert.equal(read('made.txt'), 'all\n');
    assert.equal(read('css/main.css'), 'css\n');
    assert.equal(read('sub/tests/b.js'), 'stays\n');
    assert.equal(read('robots.txt'), 'theirs\n');
    for (const path of ['css/main.scss', 'tests', 'node_modules', '.git', '.gitignore', 'durant.conf'])
      assert.equal(existsSync(join(world.site(), path)), false, path);
  });

  it('deploys the other stage too, to this machine, from the same temp_dir', async () => {
    const result = await world.run(['deploy', 'Staging']);
    assert.equal(result.status, 0, result.stderr);
    assert.equal(readFileSync(join(world.project, 'staging/build/staging.html'), 'utf8'), 'shop\n');
    assert.equal(existsSync(join(world.project, 'staging/made.txt')), false, 'the clone is cleaned');
  });
});
