/** What the bench compares a deploy with: the same work by the tools that users would take instead. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestServer } from '../support/sshd.ts';

/** A site on a server that another tool deploys to. */
export interface Site {
  readonly server: TestServer;
  /** The repository, on this machine. */
  readonly repository: string;
  /** A folder of this machine for clones and settings. */
  readonly folder: string;
}

export interface Rival {
  readonly name: string;
  /** First line of what it says of itself; undefined where it is not installed. */
  version(): string | undefined;
  /** Puts its settings in place. */
  prepare(site: Site): void;
  /** The command of one deploy; `number` counts those to this site, from 1. */
  script(site: Site, number: number): string;
}

/** `git` and `rsync -az --link-dest`, then a second `ssh` that switches the link. */
export const rsync: Rival = {
  name: 'rsync',
  version: () => said('rsync', '--version'),
  prepare: ({ server }) => mkdirSync(join(server.home, 'rsync'), { recursive: true }),
  script({ server, repository, folder }, number) {
    const clone = join(folder, 'clone');
    const ssh = `ssh -p ${server.port}`;
    const to = `${server.user}@${server.host}`;
    const link = number === 1 ? '' : `--link-dest=../${number - 1}`;
    return `set -e
if [ -d ${clone} ]; then git -C ${clone} fetch -q; else git clone -q --no-checkout ${repository} ${clone}; fi
git -C ${clone} checkout -q --detach origin/main
rsync -az ${link} --exclude .git -e '${ssh}' ${clone}/ ${to}:rsync/${number}/
${ssh} ${to} 'cd rsync && ln -s ${number} next && mv -T next current'`;
  },
};

/** Its server fetches from the repository by itself, here from the same disk, so what it fetches crosses no line. */
export const capistrano: Rival = {
  name: 'capistrano',
  version: () => said('cap', '--version'),
  prepare({ server, repository, folder }) {
    mkdirSync(join(folder, 'config/deploy'), { recursive: true });
    writeFileSync(
      join(folder, 'Capfile'),
      "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\ninstall_plugin Capistrano::SCM::Git\n",
    );
    writeFileSync(
      join(folder, 'config/deploy.rb'),
      `set :application, 'bench'
set :repo_url, '${repository}'
set :branch, 'main'
set :deploy_to, '${join(server.home, 'capistrano')}'
set :log_level, :info
`,
    );
    writeFileSync(
      join(folder, 'config/deploy/production.rb'),
      `server '${server.host}', user: '${server.user}', port: ${server.port}, roles: %w{app},
  ssh_options: { keys: ['${server.clientKey}'], keys_only: true, config: false, verify_host_key: :never }
`,
    );
  },
  script: ({ folder }) => `cd ${folder} && cap production deploy`,
};

/** What `--with` may name. */
export const RIVALS: readonly Rival[] = [capistrano];

function said(command: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0] : undefined;
}
