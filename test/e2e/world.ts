/** A user with a repository, a durant.conf and real servers: what the whole-command tests are played in. */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeCliHome,
  runCli,
  startCli,
  type CliHome,
  type CliOptions,
  type CliResult,
  type CliRun,
} from '../support/cli.ts';
import { awkwardFiles, makeRepository, type CommitDescription, type Repository } from '../support/repo.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startSshd, type SshdOptions, type TestServer } from '../support/sshd.ts';
import { throughProxy } from '../support/throughProxy.ts';

export interface WorldOptions {
  /** One sshd each; or servers that have been started, which are the world's from now on. */
  readonly servers?: readonly (SshdOptions | TestServer)[];
  /** `proxied`: each server is reached through a proxy of its own. Default `direct`. */
  readonly line?: 'direct' | 'proxied';
  readonly commits?: readonly CommitDescription[];
  /** Lines added to the stage `production`. */
  readonly conf?: readonly string[];
}

export interface World {
  readonly repository: Repository;
  readonly servers: readonly TestServer[];
  /** One for each server where `line` is `proxied`, else none. */
  readonly proxies: readonly Proxy[];
  readonly home: CliHome;
  /** Folder of durant.conf. */
  readonly project: string;
  /** Writes durant.conf anew; `entries` instead of the servers' own. */
  configure(lines: readonly string[], entries?: readonly string[]): void;
  run(args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>;
  start(args: readonly string[], options?: Partial<CliOptions>): CliRun;
  /** project_dir on a server. */
  site(server?: number): string;
  /** The release that is live on a server, undefined for none. */
  live(server?: number): string | undefined;
  releases(server?: number): readonly string[];
  /** A file of the live site. */
  read(path: string, server?: number): string;
  remove(): Promise<void>;
}

export const firstCommit: CommitDescription = {
  message: 'First version',
  files: { 'index.html': 'version 1\n', 'kept/same.txt': 'same\n', ...awkwardFiles },
};

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const started = await Promise.all(
    (options.servers ?? [{}]).map((each) => ('entry' in each ? each : startSshd(each))),
  );
  const proxies =
    options.line === 'proxied' ? await Promise.all(started.map(({ port }) => startProxy({ port }))) : [];
  const servers = started.map((server, index) => {
    const proxy = proxies[index];
    return proxy === undefined ? server : throughProxy(server, proxy);
  });
  const repository = makeRepository(options.commits ?? [firstCommit]);
  const home = await makeCliHome(servers);
  const project = mkdtempSync(join(tmpdir(), 'durant-project-'));
  const site = (server = 0): string => {
    const found = servers[server];
    if (found === undefined) throw new Error(`There is no server ${server}.`);
    return join(found.home, 'site');
  };
  const world: World = {
    repository,
    servers,
    proxies,
    home,
    project,
    configure(lines, entries = servers.map((server) => server.entry)) {
      writeFileSync(
        join(project, 'durant.conf'),
        [
          '[production]',
          `repository = ${repository.directory}`,
          'server =',
          ...entries.map((entry) => `    ${entry}`),
          'project_dir = ~/site',
          ...lines,
          '',
        ].join('\n'),
      );
    },
    run: (args, extra) => runCli(args, { home, cwd: project, ...extra }),
    start: (args, extra) => startCli(args, { home, cwd: project, ...extra }),
    site,
    live(server) {
      const link = join(site(server), 'current');
      return existsSync(link) ? readlinkSync(link).replace('releases/', '') : undefined;
    },
    releases: (server) =>
      existsSync(join(site(server), 'releases'))
        ? readdirSync(join(site(server), 'releases')).toSorted()
        : [],
    read: (path, server) => readFileSync(join(site(server), 'current', path), 'utf8'),
    async remove() {
      await Promise.all([...servers, ...proxies].map((each) => each.stop()));
      await home.remove();
      repository.remove();
      rmSync(project, { recursive: true, force: true });
    },
  };
  world.configure(options.conf ?? []);
  return world;
}

/** The last event of a `--json` run. */
export function finishedOf(result: CliResult): Record<string, unknown> {
  const last = result.events.at(-1);
  if (last?.['event'] !== 'run-finished')
    throw new Error(`No run-finished (status ${result.status}):\n${result.stdout}\n${result.stderr}`);
  return last;
}
