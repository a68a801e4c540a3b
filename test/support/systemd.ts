/**
 * A whole Debian with its own systemd, sudo, sshd and Caddy, booted by systemd-nspawn from a tree that debootstrap makes once, in the
 * ignored folder .cache/. Each server is a layer of its own over that tree, so that nothing it does stays. Needs root.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, type TestServer } from './sshd.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(checkout, '.cache/systemd');
const base = join(cache, 'bookworm');
const packages =
  'systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,curl,python3-venv,caddy,acl,rsync';

/** The accounts of the server: `deploy` may sudo without a password, `asker` with this one, `nobody-special` not at all. */
export const sudoPassword = 'right horse';

export interface SystemdServer {
  /** As sshd's servers are, for `makeCliHome`: as the account `deploy`. */
  readonly server: TestServer;
  /** `user@127.0.0.1:port`. */
  entry(account: 'deploy' | 'asker' | 'plain'): string;
  /** The server's files as this machine sees them. */
  readonly root: string;
  readonly httpsPort: number;
  /** Runs a command there as root; its output. Rejects where it fails. */
  sh(command: string): Promise<string>;
  /** What a visitor of a site gets: status and body. Rejects where no answer comes. */
  visit(domain: string, path?: string): Promise<{ readonly status: number; readonly body: string }>;
  stop(): Promise<void>;
}

/** Whether this machine lets us boot one: root with the right to mount. */
export function canBootSystemd(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

export async function bootSystemd(): Promise<SystemdServer> {
  await makeBase();
  await removeOrphans();
  const directory = await mkdtemp(join(tmpdir(), 'durant-systemd-'));
  const [root, upper, work] = ['root', 'upper', 'work'].map((name) => join(directory, name));
  if (root === undefined || upper === undefined || work === undefined) throw new Error('unreachable');
  for (const folder of [root, upper, work]) mkdirSync(folder);
  writeFileSync(join(directory, 'owner'), String(process.pid));
  execFileSync('mount', [
    ...['-t', 'overlay', 'overlay', '-o'],
    `lowerdir=${base},upperdir=${upper},workdir=${work}`,
    root,
  ]);
  const [port, httpPort, httpsPort, adminPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const clientKey = join(directory, 'client_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'durant-test', '-f', clientKey]);
  configure(root, {
    port,
    httpPort,
    httpsPort,
    adminPort,
    publicKey: readFileSync(`${clientKey}.pub`, 'utf8'),
  });

  const log: Buffer[] = [];
  const machine = spawn(
    // It ends with whoever runs the tests, however that ends.
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      'systemd-nspawn',
      '-q',
      '-D',
      root,
      '-b',
      '--register=no',
      '--keep-unit',
      `--machine=durant-${port}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  for (const stream of [machine.stdout, machine.stderr])
    stream.on('data', (chunk: Buffer) => log.push(chunk));
  const ended = (): boolean => machine.exitCode !== null || machine.signalCode !== null;
  const onExit = (): void => {
    machine.kill('SIGKILL');
    execFile('umount', ['-l', root]);
  };
  process.once('exit', onExit);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    process.off('exit', onExit);
    if (!ended()) {
      // Asked once it shuts down, asked again it stops at once.
      machine.kill('SIGTERM');
      await pause(100);
      machine.kill('SIGTERM');
      await waitFor('the machine to end', ended, 15_000).catch(() => machine.kill('SIGKILL'));
    }
    await waitFor('the machine to let go of its files', () =>
      run('umount', [root]).then(
        () => true,
        () => false,
      ),
    );
    await rm(directory, { recursive: true, force: true });
  };

  const hostKey = readFileSync(join(base, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8').trim();
  const knownHostsLines = [`[127.0.0.1]:${port} ${hostKey.split(' ').slice(0, 2).join(' ')}`];
  const knownHosts = join(directory, 'known_hosts');
  writeFileSync(knownHosts, `${knownHostsLines.join('\n')}\n`);
  const sh = async (command: string): Promise<string> => {
    const ssh = ['-F', 'none', '-i', clientKey, '-p', String(port), '-o', `UserKnownHostsFile=${knownHosts}`];
    const { stdout } = await run('ssh', [
      ...ssh,
      '-o',
      'IdentitiesOnly=yes',
      '-o',
      'BatchMode=yes',
      'root@127.0.0.1',
      command,
    ]);
    return stdout;
  };
  try {
    await waitFor(
      'Debian to boot',
      async () => {
        if (ended()) throw new Error(`systemd-nspawn ended:\n${Buffer.concat(log).toString()}`);
        // Some of its services cannot run in a container; that is `degraded`.
        const state = await sh('systemctl is-system-running --wait; systemctl is-active caddy').catch(
          () => '',
        );
        return /^(running|degraded)\nactive/.test(state);
      },
      60_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    server: {
      host: '127.0.0.1',
      port,
      user: 'deploy',
      entry: `deploy@127.0.0.1:${port}`,
      directory,
      home: join(root, 'home/deploy'),
      clientKey,
      knownHostsLines,
      knownHosts,
      sshConfig: '',
      sshPath: 'ssh',
      log: () => Buffer.concat(log).toString(),
      processes: () => Promise.resolve([]),
      daemons: () => Promise.resolve([]),
      stop: () => (stopping ??= stop()),
    },
    entry: (account) => `${account}@127.0.0.1:${port}`,
    root,
    httpsPort,
    sh,
    visit: (domain, path = '/') => visit(domain, httpsPort, path),
    stop: () => (stopping ??= stop()),
  };
}

function visit(
  domain: string,
  port: number,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      // Caddy's own authority signs what no public one would.
      {
        host: '127.0.0.1',
        port,
        path,
        servername: domain,
        headers: { host: domain },
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asked.setTimeout(20_000, () => asked.destroy(new Error(`No answer from ${domain}.`)));
    asked.on('error', reject);
    asked.end();
  });
}

/** Asks a site without a pause until `end` is called, which says what came. */
export function startVisitor(visitOnce: () => Promise<{ readonly status: number; readonly body: string }>): {
  end(): Promise<{
    readonly answers: number;
    readonly failures: readonly string[];
    readonly seen: readonly string[];
  }>;
} {
  let going = true;
  let answers = 0;
  const failures: string[] = [];
  const seen: string[] = [];
  const visitor = async (): Promise<void> => {
    while (going) {
      try {
        const { status, body } = await visitOnce();
        answers++;
        if (status !== 200) failures.push(`${status} ${body}`);
        else if (!seen.includes(body)) seen.push(body);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const all = Promise.all([visitor(), visitor()]);
  return {
    async end() {
      going = false;
      await all;
      return { answers, failures, seen };
    },
  };
}

function configure(
  root: string,
  to: {
    readonly port: number;
    readonly httpPort: number;
    readonly httpsPort: number;
    readonly adminPort: number;
    readonly publicKey: string;
  },
): void {
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  const inside = (...command: string[]): void => {
    execFileSync('chroot', [root, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  write('etc/ssh/sshd_config.d/durant.conf', `Port ${to.port}\nListenAddress 127.0.0.1\nUseDNS no\n`);
  for (const account of ['deploy', 'asker', 'plain']) inside('useradd', '-m', '-s', '/bin/bash', account);
  execFileSync('chroot', [root, 'chpasswd'], { input: `asker:${sudoPassword}\n` });
  write('etc/sudoers.d/durant', 'deploy ALL=(ALL) NOPASSWD: ALL\nasker ALL=(ALL) ALL\n', 0o440);
  write('etc/hosts', '127.0.0.1 localhost\n::1 localhost\n');
  write('var/lib/systemd/linger/deploy', '');
  for (const [account, home] of [
    ['root', 'root'],
    ...['deploy', 'asker', 'plain'].map((name) => [name, `home/${name}`] as const),
  ] as const) {
    write(`${home}/.ssh/authorized_keys`, to.publicKey, 0o600);
    inside('chown', '-R', `${account}:`, `/${home}/.ssh`);
    // Caddy reads the files of sites.
    inside('chmod', '755', `/${home}`);
  }
  write(
    'etc/caddy/Caddyfile',
    `{
	admin 127.0.0.1:${to.adminPort}
	http_port ${to.httpPort}
	https_port ${to.httpsPort}
	local_certs
	skip_install_trust
	auto_https disable_redirects
}
import conf.d/*.caddy
`,
  );
}

/** What test runs that were killed could not remove. */
async function removeOrphans(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith('durant-systemd-')) continue;
    const directory = join(tmpdir(), name);
    const owner = Number(await readFile(join(directory, 'owner'), 'utf8').catch(() => ''));
    if (owner === 0 || existsSync(`/proc/${owner}`)) continue;
    await run('umount', ['-l', join(directory, 'root')]).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeBase(): Promise<void> {
  if (existsSync(base)) return;
  mkdirSync(cache, { recursive: true });
  const part = join(cache, `part.${process.pid}`);
  rmSync(part, { recursive: true, force: true });
  try {
    await run(
      'debootstrap',
      ['--variant=minbase', `--include=${packages}`, 'bookworm', part, await mirror()],
      { maxBuffer: 64 * 1024 * 1024, timeout: 600_000 },
    );
    if (!existsSync(base)) renameSync(part, base);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** The mirror that apt is set up with. */
async function mirror(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(await readdir(folder).catch(() => [])).map((name) => join(folder, name)),
  ];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const found = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(https?:\/\/\S+\/debian\/?)(?:\s|$)/m.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return 'http://deb.debian.org/debian';
}
