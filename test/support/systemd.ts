/**
 * A whole Debian with its own systemd, sudo, sshd and Caddy, as tests use it. All files of a run share one, one after the other, and
 * each is handed it as it was after its boot.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestServer } from './sshd.ts';

const run = promisify(execFile);

/** The accounts of the server: `deploy` may sudo without a password, `asker` with this one, `plain` not at all. */
export const sudoPassword = 'right horse';

/** Where it is. */
export interface SystemdMachine {
  /** Keys and known_hosts. */
  readonly directory: string;
  /** The server's files as this machine sees them. */
  readonly root: string;
  /** Its first process, by the id that this machine knows it by. */
  readonly init: number;
  readonly port: number;
  readonly httpsPort: number;
}

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
}

/** Whether this machine lets us boot one: root with the right to mount. */
export function canBootSystemd(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** What a test's process asks the runner, which boots the machine for all of them, */
export const machineRequest = 'systemd';
/** and what it is told. */
export type MachineAnswer = { readonly machine: SystemdMachine } | { readonly error: string };

/** Where the extension host is told the machine that its test was handed. */
const machineVariable = 'DURANT_TEST_SYSTEMD';

/** The Debian of this run, without anything that the file before left on it; also for the editor that this process starts. */
export async function useSystemd(): Promise<SystemdServer> {
  const told = process.env[machineVariable];
  if (told !== undefined) return connectSystemd(JSON.parse(told));
  const machine = await askForMachine();
  process.env[machineVariable] = JSON.stringify(machine);
  const server = connectSystemd(machine);
  await server.sh(cleanUp);
  return server;
}

function askForMachine(): Promise<SystemdMachine> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) throw new Error('Only npm test boots the Debians that tests use.');
    process.once('message', (message) => {
      const answer: MachineAnswer = JSON.parse(String(message));
      if ('machine' in answer) resolve(answer.machine);
      else reject(new Error(answer.error));
    });
    process.send(machineRequest);
  });
}

/** Where the machine keeps Caddy's configuration as it was. */
export const cleanCaddyfile = 'root/Caddyfile';

/** As root: the machine as it was after its boot. */
const cleanUp = `set -e
cd /etc/systemd/system
units=$(grep -sl -d skip X-Durant-Project= * || :)
if [ -n "$units" ]; then
  # A pattern for systemctl, not for this shell, which would find the template's own file.
  set -f
  systemctl stop $(printf '%s\\n' $units | sed 's/@\\./@*./')
  set +f
  systemctl disable -q $units
  rm -f $units
  systemctl daemon-reload
  systemctl reset-failed
fi
for account in deploy asker plain; do
  systemctl stop user@$(id -u $account)
  find /home/$account -mindepth 1 -maxdepth 1 ! -name .ssh ! -name '.bash*' ! -name .profile -exec rm -rf {} +
done
systemctl start user@$(id -u deploy)
rm -rf /etc/caddy/conf.d /tmp/probe /run/sudo/ts/*
cp /${cleanCaddyfile} /etc/caddy/Caddyfile
systemctl restart caddy
journalctl -q --rotate --vacuum-time=1us`;

const rootEnvironment = [
  'HOME=/root',
  'USER=root',
  'LANG=C.UTF-8',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

/**
 * Runs a command as root in the machine that has this first process; gives its output. A login by ssh takes much more time, with all that systemd does
 * for one.
 */
async function shInside(init: number, command: string): Promise<string> {
  const enter = ['-t', String(init), '-a', '-r', '-w', 'env', '-i', ...rootEnvironment, 'bash', '-c'];
  // Where the machine has gone meanwhile nothing is done to this one.
  return (await run('nsenter', [...enter, `cd && [ -e /${cleanCaddyfile} ] || exit\n${command}`])).stdout;
}

export function connectSystemd(machine: SystemdMachine): SystemdServer {
  const { directory, root, init, port, httpsPort } = machine;
  const clientKey = join(directory, 'client_key');
  const knownHosts = join(directory, 'known_hosts');
  return {
    server: {
      host: '127.0.0.1',
      port,
      user: 'deploy',
      entry: `deploy@127.0.0.1:${port}`,
      directory,
      home: join(root, 'home/deploy'),
      clientKey,
      knownHostsLines: readFileSync(knownHosts, 'utf8').trim().split('\n'),
      knownHosts,
      sshConfig: '',
      sshPath: 'ssh',
      log: () => readFileSync(join(directory, 'log'), 'utf8'),
      processes: () => Promise.resolve([]),
      daemons: () => Promise.resolve([]),
      stop: () => Promise.resolve(),
    },
    entry: (account) => `${account}@127.0.0.1:${port}`,
    root,
    httpsPort,
    sh: (command) => shInside(init, command),
    visit: (domain, path = '/') => visit(domain, httpsPort, path),
  };
}

/** Each visit is a connection of its own; what TLS needs on this side is made once. */
const visitors = new Agent({ keepAlive: false });

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
        agent: visitors,
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

/** Between two questions of one visitor. Each shakes hands anew, and many more would take the processors from what is tested. */
const visitPauseMs = 50;

/** Two visitors, who ask a site again and again until `end` is called, which says what came. */
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
      await pause(visitPauseMs);
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
