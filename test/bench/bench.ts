/**
 * `npm run bench`: whole commands against rsync on the same line, in the same run, and with `-- --with capistrano` against that as well. For
 * each tree and line: a first deploy, then warm deploys of an 8-file change, one tool after the other in each round; then deploys to
 * several servers. Prints medians and ratios; asserts nothing, as machines differ. `--plot FILE` draws how the time grows with the tree.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cliBundle, makeCliHome } from '../support/cli.ts';
import { startProxy } from '../support/proxy.ts';
import { largeRepository, type Repository } from '../support/repo.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { throughProxy } from '../support/throughProxy.ts';
import { waitFor } from '../support/wait.ts';
import { least, lineOf, measure, median, type Figures } from './measure.ts';
import { plot, type Series } from './plot.ts';
import { RIVALS, rsync, type Rival, type Site } from './rivals.ts';

const { values: options } = parseArgs({
  options: { with: { type: 'string', default: '' }, plot: { type: 'string' } },
});
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SIZES = numbers(process.env['SIZES'] ?? '1000,13000');
const SERVERS = numbers(process.env['SERVERS'] ?? '1,10');
const LINES = [
  { name: 'loopback', delay: 0 },
  { name: '50 ms', delay: 25 },
].filter((line) => (process.env['LINES'] ?? 'loopback,50 ms').includes(line.name));
const rivals = [rsync, ...options.with.split(',').filter(Boolean).map(rivalCalled)];
const durant = `${process.execPath} ${process.env['CLI'] ?? cliBundle()} deploy production`;
/** Warm deploys of all sizes and lines, for the plot. */
const warm: { files: number; line: string; tool: string; figures: readonly Figures[] }[] = [];

process.stdout.write(
  `node ${process.version}; ${rivals.map(({ version }) => version() ?? '').join('; ')}; load ${loadavg()[0]?.toFixed(0) ?? ''}; ${ROUNDS} rounds, medians\n`,
);
// All is removed at the end: ext4 takes many times as long to make files in the minute after as many were removed (`recently_deleted`).
const opened: Bench[] = [];
try {
  for (const files of SIZES) for (const line of LINES) await compare(files, line);
  for (const line of LINES) await compareServers(line);
  if (process.env['BIG'] !== '0') await bigFirstDeploy();
  if (options.plot !== undefined) writeFileSync(options.plot, drawGrowth());
} finally {
  for (const bench of opened) await bench.close();
}

function rivalCalled(name: string): Rival {
  const rival = RIVALS.find((each) => each.name === name);
  if (rival === undefined) throw new Error(`--with knows ${RIVALS.map((each) => each.name).join(', ')}.`);
  if (rival.version() === undefined) throw new Error(`${name} is not installed.`);
  return rival;
}

function numbers(text: string): readonly number[] {
  return text.split(',').filter(Boolean).map(Number);
}

async function compare(files: number, line: (typeof LINES)[number]): Promise<void> {
  const bench = await open(files, line.delay);
  const tools = [
    { name: 'durant', deploy: () => bench.durant() },
    ...rivals.map((rival) => ({ name: rival.name, deploy: () => bench.rival(rival) })),
  ].map((tool) => ({ ...tool, first: [] as Figures[], warm: [] as Figures[] }));
  for (let round = 0; round < Math.max(1, Math.ceil(ROUNDS / 2)); round++) {
    bench.clear();
    for (const tool of tools) tool.first.push(await tool.deploy());
  }
  for (let round = 0; round < ROUNDS; round++) {
    bench.change(round);
    await bench.spareIsReady();
    for (const tool of tools) tool.warm.push(await tool.deploy());
  }
  for (const what of ['first', 'warm'] as const) {
    const title = what === 'first' ? `first deploy, ${files} files` : `warm, 8 of ${files} files`;
    process.stdout.write(`${title}, ${line.name}\n`);
    for (const tool of tools) process.stdout.write(`${lineOf(tool.name, tool[what])}\n`);
    const [own, ...others] = tools.map((tool) => median(tool[what], 'seconds'));
    const ratios = others.map((theirs) => ((own ?? Number.NaN) / theirs).toFixed(2));
    process.stdout.write(`  ratio      ${ratios.join(', ')}\n`);
  }
  for (const tool of tools) warm.push({ files, line: line.name, tool: tool.name, figures: tool.warm });
}

/** Warm deploys of 1,000 files to several servers, all on this machine, whose own work is not in the processor time. */
async function compareServers(line: (typeof LINES)[number]): Promise<void> {
  for (const count of SERVERS.filter((each) => each > 1)) {
    const bench = await open(1000, line.delay, { servers: count });
    await bench.durant();
    const figures: Figures[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bench.change(round);
      await bench.spareIsReady();
      figures.push(await bench.durant());
    }
    process.stdout.write(
      `warm, 8 of 1000 files, ${count} servers, ${line.name}\n${lineOf('durant', figures)}\n`,
    );
  }
}

function drawGrowth(): string {
  const seriesOf = (line: string, y: (figures: readonly Figures[]) => number): Series[] =>
    ['durant', ...rivals.map(({ name }) => name)].map((name) => ({
      name,
      points: warm
        .filter((each) => each.line === line && each.tool === name)
        .map(({ files, figures }) => ({ x: files, y: y(figures) })),
    }));
  const panels = LINES.map(({ name }) => ({
    title: `whole command, ${name} (s)`,
    series: seriesOf(name, (figures) => median(figures, 'seconds')),
  }));
  const last = LINES.at(-1)?.name ?? '';
  const processor = seriesOf(last, (figures) => least(figures, 'processor'));
  return plot([...panels, { title: 'processor time here (s)', series: processor }], 'files in the tree');
}

/** Memory of a first deploy of 500 MB. */
async function bigFirstDeploy(): Promise<void> {
  const bench = await open(500, 0, { bytes: 1_000_000 });
  process.stdout.write(`first deploy of 500 MB, loopback\n${lineOf('durant', [await bench.durant()])}\n`);
}

interface Bench {
  clear(): void;
  change(round: number): void;
  durant(): Promise<Figures>;
  rival(rival: Rival): Promise<Figures>;
  spareIsReady(): Promise<void>;
  close(): Promise<void>;
}

async function open(
  files: number,
  delayMs: number,
  { bytes = 2_000, servers: count = 1 }: { readonly bytes?: number; readonly servers?: number } = {},
): Promise<Bench> {
  const servers = await startServers(count);
  const proxies = await Promise.all(
    servers.map(({ port }) => startProxy({ port, delay: { up: delayMs, down: delayMs } })),
  );
  const seen = servers.map((server, index) => throughProxy(server, proxies[index] ?? server));
  const home = await makeCliHome(seen);
  const repository = largeRepository(files, { bytes });
  const project = mkdtempSync(join(tmpdir(), 'durant-bench-'));
  writeFileSync(
    join(project, 'durant.conf'),
    `[production]\nrepository = ${repository.directory}\nserver =\n${seen.map(({ entry }) => `    ${entry}\n`).join('')}project_dir = ~/site\n`,
  );
  const deploys = new Map<Rival, { site: Site; number: number }>();
  let cleared = 0;
  const bench: Bench = {
    clear() {
      cleared += 1;
      for (const { home: of } of servers)
        for (const folder of ['site', ...rivals.map(({ name }) => name)])
          if (existsSync(join(of, folder))) renameSync(join(of, folder), join(of, `${folder}.${cleared}`));
      deploys.clear();
    },
    change: (round) => change(repository, files, round),
    durant: () => measure(proxies, home, project, durant),
    rival(rival) {
      const known = deploys.get(rival) ?? { site: siteOf(rival), number: 0 };
      if (known.number === 0) rival.prepare(known.site);
      known.number += 1;
      deploys.set(rival, known);
      return measure(proxies, home, project, rival.script(known.site, known.number));
    },
    async spareIsReady() {
      const isReady = ({ home: of }: TestServer): boolean => {
        const folder = join(of, 'site/.durant');
        return readdirSync(folder).some((name) => existsSync(join(folder, name, 'for')));
      };
      await waitFor('the spares', () => servers.every(isReady), 60_000).catch(() =>
        process.stdout.write('(no spare)\n'),
      );
    },
    async close() {
      await Promise.all([...proxies, ...servers].map((each) => each.stop()));
      await home.remove();
      repository.remove();
      rmSync(project, { recursive: true, force: true });
    },
  };
  opened.push(bench);
  return bench;

  function siteOf(rival: Rival): Site {
    const [server] = seen;
    if (server === undefined) throw new Error('There is no server.');
    const folder = join(project, rival.name);
    mkdirSync(folder, { recursive: true });
    return { server, repository: repository.directory, folder };
  }
}

/** Ten at a time: each makes keys. */
async function startServers(count: number): Promise<readonly TestServer[]> {
  const servers: TestServer[] = [];
  while (servers.length < count)
    servers.push(
      ...(await Promise.all(Array.from({ length: Math.min(10, count - servers.length) }, () => startSshd()))),
    );
  return servers;
}

/** Eight changed files, spread over the tree. */
function change(repository: Repository, files: number, round: number): void {
  const changed: Record<string, string> = {};
  for (let index = 0; index < 8; index++) {
    const number = Math.floor((index * files) / 8);
    changed[`dir${Math.floor(number / 100)}/file${number}.txt`] = `round ${round}, file ${index}\n`;
  }
  repository.commit({ message: `round ${round}`, files: changed });
}
