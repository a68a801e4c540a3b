/**
 * Boots a whole Debian with its own systemd, sudo, sshd and Caddy by systemd-nspawn, from a tree that debootstrap makes once, in the
 * ignored folder .cache/. The machine is a layer over that tree, so that nothing it does stays. Needs root.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hostname } from 'node:os';
import { processTree } from './processes.ts';
import { freePort } from './sshd.ts';
import { cleanCaddyfile, connectSystemd, sudoPassword, type SystemdMachine } from './systemd.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(checkout, '.cache/systemd');
const base = join(cache, 'bookworm');
const packages =
  'systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,curl,python3-venv,caddy,acl,rsync';

export interface BootedMachine {
  readonly machine: SystemdMachine;
  /** Shuts it down. */
  end(): Promise<void>;
}

/** @param directory an empty folder that the caller removes after `end`. */
export async function bootMachine(directory: string): Promise<BootedMachine> {
  await makeBase();
  const [root, upper, work] = [join(directory, 'root'), join(directory, 'upper'), join(directory, 'work')];
  for (const folder of [root, upper, work]) mkdirSync(folder);
  const layers = `lowerdir=${base},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  const unmount = (): Promise<boolean> =>
    run('umount', [root]).then(
      () => true,
      () => false,
    );
  const onExit = (): void => {
    execFileSync('umount', ['-l', root]);
  };
  process.once('exit', onExit);
  const [port, httpPort, httpsPort, adminPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const clientKey = join(directory, 'client_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'durant-test', '-f', clientKey]);
  const publicKey = readFileSync(`${clientKey}.pub`, 'utf8');
  configure(root, { port, httpPort, httpsPort, adminPort, publicKey });
  const hostKey = readFileSync(join(root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8');
  const knownHosts = join(directory, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey.split(' ').slice(0, 2).join(' ')}\n`);

  const log = join(directory, 'log');
  const output = openSync(log, 'a');
  const nspawn = ['systemd-nspawn', '-q', '-D', root, '-b', '--register=no', '--keep-unit'];
  // It ends with this process, however that ends.
  const words = ['--pdeathsig', 'KILL', ...nspawn, `--machine=durant-${port}`];
  const child = spawn('setpriv', words, { stdio: ['ignore', output, output], detached: true });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (): Promise<void> => {
    if (!ended()) {
      // Asked once it shuts down, asked again it stops at once.
      child.kill('SIGTERM');
      await pause(100);
      child.kill('SIGTERM');
      await waitFor('the machine to end', ended, 15_000).catch(() => child.kill('SIGKILL'));
    }
    await waitFor('the machine to let go of its files', unmount);
    process.off('exit', onExit);
  };
  try {
    const init = await waitFor('systemd to start', async () => {
      if (ended()) throw new Error(`systemd-nspawn ended:\n${readFileSync(log, 'utf8')}`);
      return child.pid === undefined ? undefined : firstProcess(child.pid);
    });
    const machine: SystemdMachine = { directory, root, init, port, httpsPort };
    const { sh } = connectSystemd(machine);
    await waitFor(
      'Debian to boot',
      async () => {
        if (ended()) throw new Error(`systemd-nspawn ended:\n${readFileSync(log, 'utf8')}`);
        // Some of its services cannot run in a container; that is `degraded`.
        const state = await sh('systemctl is-system-running --wait; systemctl is-active ssh caddy').catch(
          ({ stdout }: { stdout?: string }) => stdout ?? '',
        );
        return /^(running|degraded)\nactive\nactive\n/.test(state);
      },
      120_000,
    );
    return { machine, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Of what systemd-nspawn runs, the process that is the first in there: systemd, once it has been started. */
async function firstProcess(nspawn: number): Promise<number | undefined> {
  for (const { pid } of await processTree(nspawn))
    try {
      const isFirst = /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      if (isFirst && basename(readlinkSync(`/proc/${pid}/exe`)) === 'systemd') return pid;
    } catch {
      // It has ended.
    }
  return undefined;
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
  // sudo looks up the name of its machine, every time.
  write('etc/hosts', `127.0.0.1 localhost ${hostname()}\n::1 localhost\n`);
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
  const caddyfile = `{
	admin 127.0.0.1:${to.adminPort}
	http_port ${to.httpPort}
	https_port ${to.httpsPort}
	local_certs
	skip_install_trust
	auto_https disable_redirects
}
import conf.d/*.caddy
`;
  for (const path of ['etc/caddy/Caddyfile', cleanCaddyfile]) write(path, caddyfile);
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
