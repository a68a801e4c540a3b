// Brings what `npm run demo` and `npm test` need: npm packages always, system packages for tests where apt is.
// It runs before node_modules exist, so it uses nothing but Node's own modules and runs on Node 20.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** For a whole Debian with systemd, which services are tested on. */
const appPackages = {
  'openssh-client': 'ssh',
  debootstrap: 'debootstrap',
  'systemd-container': 'systemd-nspawn',
};
/** Debian package: a program of it. A package is missing when its program is. */
const testPackages = {
  git: 'git',
  'openssh-client': 'ssh',
  'openssh-server': 'sshd',
  rsync: 'rsync',
  acl: 'setfacl',
  'busybox-static': 'busybox',
  'libarchive-tools': 'bsdtar',
  'rust-coreutils': 'coreutils',
  toybox: 'toybox',
  tinysshd: 'tinysshd',
  'dropbear-bin': 'dropbear',
  tcsh: 'tcsh',
  mksh: 'mksh',
  zstd: 'zstd',
  python3: 'python3',
  procps: 'ps',
  // Reads the scripts that run on servers, in `npm run lint`.
  shellcheck: 'shellcheck',
  ...appPackages,
  // Goals that build and push gems.
  ruby: 'gem',
  // Whose completion scripts are read by them.
  zsh: 'zsh',
  fish: 'fish',
  // VS Code runs in it, headless.
  chromium: 'chromium',
};

const purpose = process.argv[2];
if (purpose !== 'test' && purpose !== 'demo' && purpose !== 'app')
  fail('Usage: node scripts/setup.mjs test|demo|app');

const stale = staleness();
if (stale !== undefined) {
  console.error(`setup: npm ci (${stale})`);
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund']);
}
if (purpose === 'test') installSystemPackages(testPackages);
if (purpose === 'app') installSystemPackages(appPackages);

/** Why node_modules does not hold what package-lock.json asks for; undefined when it does. */
function staleness() {
  const installed = packagesOf('node_modules/.package-lock.json');
  if (installed === undefined) return 'node_modules is missing';
  for (const [path, wanted] of Object.entries(packagesOf('package-lock.json') ?? {})) {
    if (path === '') continue;
    const found = installed[path];
    // Packages for other platforms are in the lock file but never on disk.
    if (found === undefined && wanted.optional === true) continue;
    if (found?.version !== wanted.version) return `${path} is not at ${wanted.version}`;
  }
  return undefined;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function installSystemPackages(packages) {
  const missing = Object.entries(packages)
    .filter(([, program]) => !isInstalled(program))
    .map(([name]) => name);
  if (missing.length === 0) return;
  const prefix = aptPrefix();
  if (prefix === undefined) {
    console.error(`setup: the tests also want these (Debian's names), please install: ${missing.join(' ')}`);
    return;
  }
  console.error(`setup: apt-get install ${missing.join(' ')}`);
  const [command, ...args] = [...prefix, 'apt-get'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run(command, [...args, 'update', '-qq'], env);
  run(command, [...args, 'install', '-y', '-qq', '--no-install-recommends', ...missing], env);
}

function isInstalled(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What goes before apt-get: nothing as root, sudo where it asks no password; undefined where apt cannot be used. */
function aptPrefix() {
  if (!isInstalled('apt-get')) return undefined;
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

function run(command, args, env = process.env) {
  const windows = process.platform === 'win32';
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], env, shell: windows });
  if (status !== 0) fail(`setup: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
