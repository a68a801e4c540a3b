import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { finishedOf, makeWorld, type World } from './world.ts';

const wheelScript = readFileSync(fileURLToPath(new URL('wheel.py', import.meta.url)), 'utf8');

/** Every file of a folder, links not followed. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('install_mode: python', function () {
  let world: World;
  let wheels: string;
  const say = (server = 0) =>
    execFileSync(join(world.site(server), 'current/.venv/bin/shop'), { encoding: 'utf8' }).trim();
  const commit = (version: string, files: Record<string, string> = {}) =>
    world.repository.commit({
      message: `Version ${version}`,
      files: {
        'wheel.py': wheelScript,
        'requirements.txt': 'helper==1.0\n',
        'pyproject.toml': `[build-system]\nversion = "9"\n[project]\nname = "shop"\nversion = "${version}" # here\n`,
        ...files,
      },
    });
  const configure = (...lines: string[]) =>
    world.configure([
      'install_mode = python',
      'build_command = python3 wheel.py shop "$(sed -n \'s/^version = "\\(.*\\)" #.*/\\1/p\' pyproject.toml)" dist helper',
      'distfile = dist/shop-{version}-py3-none-any.whl',
      'requirements = requirements.txt',
      'release_name = {version}',
      'spare = no',
      `env = PIP_NO_INDEX=1, PIP_FIND_LINKS=${wheels}`,
      ...lines,
    ]);
  const deploy = async () => {
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    return result;
  };

  before(async () => {
    world = await makeWorld({ servers: [{}] });
    wheels = join(world.project, 'wheels');
    for (const version of ['1.0', '2.0'])
      execFileSync('python3', ['-c', wheelScript, 'helper', version, wheels]);
    commit('1.0');
    configure();
  });
  after(() => world.remove());

  it('installs requirements and wheel in an environment of the release, and sends nothing else', async () => {
    await deploy();
    assert.equal(world.live(), '1.0');
    assert.equal(say(), 'shop 1.0');
    assert.deepEqual(readdirSync(join(world.site(), 'current')).toSorted(), [
      '.venv',
      'REVISION',
      'dist',
      'requirements.txt',
    ]);
  });

  it("takes over an unchanged environment as a copy that knows nothing of the old one's place", async () => {
    const old = join(world.site(), 'releases/1.0');
    const library = readdirSync(join(old, '.venv/lib'))[0] ?? '';
    writeFileSync(join(old, '.venv/lib', library, 'site-packages/taken-over'), 'yes');
    writeFileSync(join(old, '.venv/lib', library, 'site-packages/own.pth'), `${old}/lib\n`);
    linkSync(join(old, '.venv/pyvenv.cfg'), join(old, '.venv/hard-link.pth'));
    commit('1.1');
    const result = await deploy();
    assert.match(result.stderr, /python environment taken over from 1\.0/);
    assert.equal(say(), 'shop 1.1');
    const fresh = join(world.site(), 'releases/1.1');
    assert.equal(existsSync(join(fresh, '.venv/lib', library, 'site-packages/taken-over')), true);
    assert.equal(
      readFileSync(join(fresh, '.venv/lib', library, 'site-packages/own.pth'), 'utf8'),
      `${fresh}/lib\n`,
    );
    assert.deepEqual(
      filesIn(join(fresh, '.venv')).filter(
        (file) => statSync(file).nlink > 1 || readFileSync(file).includes(`${old}/`),
      ),
      [],
    );
  });

  it('makes a fresh one where the old path is found where it is not expected', async () => {
    const live = join(world.site(), 'releases/1.1');
    const library = readdirSync(join(live, '.venv/lib'))[0] ?? '';
    writeFileSync(join(live, '.venv/lib', library, 'site-packages/settings.py'), `ROOT = "${live}/x"\n`);
    commit('1.2');
    const result = await deploy();
    assert.doesNotMatch(result.stderr, /taken over/);
    assert.equal(say(), 'shop 1.2');
    const fresh = join(world.site(), 'releases/1.2/.venv/lib', library, 'site-packages');
    assert.equal(existsSync(join(fresh, 'taken-over')), false);
  });

  it('makes a fresh one where pip check fails, and where the requirements changed', async () => {
    const live = join(world.site(), 'current/.venv/lib');
    const packages = join(live, readdirSync(live)[0] ?? '', 'site-packages');
    const metadata = join(packages, 'shop-1.2.dist-info/METADATA');
    writeFileSync(metadata, `${readFileSync(metadata, 'utf8').trimEnd()}\nRequires-Dist: missing-thing\n`);
    commit('1.3');
    assert.doesNotMatch((await deploy()).stderr, /taken over/);
    commit('1.4', { 'requirements.txt': 'helper==2.0\n' });
    assert.doesNotMatch((await deploy()).stderr, /taken over/);
    assert.equal(say(), 'shop 1.4');
    const helper = join(world.site(), 'current/.venv/bin/helper');
    assert.equal(execFileSync(helper, { encoding: 'utf8' }), 'helper 2.0\n');
  });

  it('lands on the old environment with a rollback, at once', async () => {
    const result = await world.run(['rollback', 'production']);
    assert.equal(result.status, 0, result.stderr);
    assert.equal(say(), 'shop 1.3');
  });

  it('leaves the old release live where the wheel does not install', async () => {
    commit('1.5');
    world.configure([
      'install_mode = python',
      'build_command = mkdir -p dist && echo broken > dist/shop-1.5-py3-none-any.whl',
      'distfile = dist/shop-{version}-py3-none-any.whl',
      'release_name = {version}',
      `env = PIP_NO_INDEX=1`,
    ]);
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 1);
    const error = finishedOf(result)['error'] as { code: string; message: string; changed: boolean };
    assert.equal(error.code, 'install-failed');
    assert.equal(error.changed, false);
    assert.match(error.message, /invalid|zip/i);
    assert.equal(world.live(), '1.3');
    assert.equal(say(), 'shop 1.3');
    assert.equal(world.releases().includes('1.5'), false);
  });

  for (const [title, lines, pattern, status] of [
    [
      'a wheel that the build does not make',
      ['build_command = true'],
      /The build left no dist\/shop-1\.5/,
      1,
    ],
    ['a Python that is not there', ['python_version = 3.999'], /neither uv nor a Python 3\.999/, 1],
    ['nothing to install', ['distfile =', 'requirements ='], /needs a wheel or requirements/, 2],
  ] as const)
    it(`ends the run before anything is sent: ${title}`, async () => {
      world.configure([
        'install_mode = python',
        ...(lines[0].startsWith('distfile') ? [] : ['distfile = dist/shop-{version}-py3-none-any.whl']),
        ...(lines[0].startsWith('distfile') ? [] : lines),
      ]);
      const result = await world.run(['deploy', 'production']);
      assert.match(result.stderr, pattern);
      assert.equal(result.status, status);
      assert.equal(world.live(), '1.3');
    });

  it('uses uv where the server has it', async () => {
    const bin = join(world.servers[0]?.home ?? '', '.local/bin');
    mkdirSync(bin, { recursive: true });
    // As much of uv as is used here, by the means that this machine has without a network.
    writeFileSync(
      join(bin, 'uv'),
      `#!/bin/sh
echo "$*" >> "$HOME/uv-calls"
case $1 in
  venv) for last; do :; done; exec python3 -m venv "$last";;
  pip) c=$2; [ "$3" = --python ] || exit 9; py=$4; shift 4
    for w; do shift; [ "$w" = --reinstall ] && w=--force-reinstall; set -- "$@" "$w"; done
    exec "$py" -m pip "$c" "$@";;
esac
`,
    );
    chmodSync(join(bin, 'uv'), 0o755);
    configure();
    commit('1.6', { 'requirements.txt': 'helper==2.0\n' });
    await deploy();
    assert.equal(say(), 'shop 1.6');
    const calls = readFileSync(join(world.servers[0]?.home ?? '', 'uv-calls'), 'utf8');
    assert.match(calls, /^venv .*\.venv$/m);
    assert.match(calls, /^pip install --python .venv\/bin\/python -r requirements\.txt$/m);
  });
});

describe('install_mode: binary', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{ tools: 'busybox' }] });
  });
  after(() => world.remove());

  it('puts the file executable at the name of the application, with the version of package.json', async () => {
    world.repository.commit({
      message: 'Binary',
      files: { 'package.json': '{"name": "tool", "version": "3.1.4"}\n' },
    });
    world.configure([
      'install_mode = binary',
      'app = tool',
      "before_deploy = mkdir -p out && printf '#!/bin/sh\\necho tool 3.1.4\\n' > out/tool-3.1.4",
      'distfile = out/tool-{version}',
      'after_symlink = ./tool > said',
      'spare = no',
    ]);
    const dry = await world.run(['-n', 'deploy', 'production']);
    assert.equal(dry.status, 0, dry.stderr);
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('said'), 'tool 3.1.4\n');
    assert.equal(statSync(join(world.site(), 'current/tool')).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(join(world.site(), 'current')).toSorted(), [
      'REVISION',
      'out',
      'said',
      'tool',
    ]);
    assert.match(readlinkSync(join(world.site(), 'current')), /^releases\//);
  });
});
