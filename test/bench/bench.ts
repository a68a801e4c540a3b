/**
 * `npm run bench`: whole commands against rsync on the same line, in the same run. For each tree and line: a first deploy, then warm
 * deploys of an 8-file change; beside it fetch and checkout, `rsync -az [--link-dest]` and the switch of the link over ssh. Prints
 * medians and ratios; asserts nothing, as machines differ.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cliBundle, makeCliHome, type CliHome } from '../support/cli.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { largeRepository, type Repository } from '../support/repo.ts';
import { startSshd } from '../support/sshd.ts';
import { throughProxy } from '../support/throughProxy.ts';
import { waitFor } from '../support/wait.ts';

interface Figures {
  readonly seconds: number;
  readonly turns: number;
  readonly up: number;
  readonly down: number;
  /** Peak resident memory of the client's largest process, bytes; 0 where it was not measured. */
  readonly memory: number;
  /** Processor time of the command with all that it started here, seconds. */
  readonly processor: number;
}

/** Runs a command and writes the peak resident memory of its largest process, in bytes, and the processor time of all, in seconds. */
const peakScript = `import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], 'w').write('%d %f' % (used.ru_maxrss * 1024, used.ru_utime + used.ru_stime))
sys.exit(status)`;

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SIZES = (process.env['SIZES'] ?? '1000,13000').split(',').map(Number);
const LINES = [
  { name: 'loopback', delay: 0 },
  { name: '50 ms', delay: 25 },
].filter((line) => (process.env['LINES'] ?? 'loopback,50 ms').includes(line.name));

process.stdout.write(
  `rsync ${firstLine('rsync', '--version')}; node ${process.version}; ${ROUNDS} rounds, medians\n`,
);
// All is removed at the end: ext4 takes many times as long to make files in the minute after as many were removed (`recently_deleted`).
const opened: Bench[] = [];
try {
  for (const files of SIZES) for (const line of LINES) await compare(files, line);
  if (process.env['BIG'] !== '0') await bigFirstDeploy();
} finally {
  for (const bench of opened) await bench.close();
}

async function compare(files: number, line: (typeof LINES)[number]): Promise<void> {
  const bench = await open(files, line.delay);
  opened.push(bench);
  const ours = { first: [] as Figures[], warm: [] as Figures[] };
  const theirs = { first: [] as Figures[], warm: [] as Figures[] };
  for (let round = 0; round < Math.max(1, Math.ceil(ROUNDS / 2)); round++) {
    bench.clear();
    ours.first.push(await bench.durant());
    theirs.first.push(await bench.rsync());
  }
  for (let round = 0; round < ROUNDS; round++) {
    bench.change(round);
    await bench.spareIsReady();
    ours.warm.push(await bench.durant());
    theirs.warm.push(await bench.rsync());
  }
  print(`first deploy, ${files} files, ${line.name}`, ours.first, theirs.first);
  print(`warm, 8 of ${files} files, ${line.name}`, ours.warm, theirs.warm);
}

/** Memory of a first deploy of 500 MB. */
async function bigFirstDeploy(): Promise<void> {
  const bench = await open(500, 0, 1_000_000);
  opened.push(bench);
  const figures = await bench.durant();
  process.stdout.write(
    `first deploy of 500 MB, loopback: ${figures.seconds.toFixed(2)} s, peak memory ${megabytes(figures.memory)}\n`,
  );
}

interface Bench {
  clear(): void;
  change(round: number): void;
  durant(): Promise<Figures>;
  rsync(): Promise<Figures>;
  spareIsReady(): Promise<void>;
  close(): Promise<void>;
}

async function open(files: number, delayMs: number, bytes = 2_000): Promise<Bench> {
  const server = await startSshd();
  const proxy = await startProxy({ port: server.port, delay: { up: delayMs, down: delayMs } });
  const seen = throughProxy(server, proxy);
  const home = await makeCliHome([seen]);
  const repository = largeRepository(files, { bytes });
  const project = mkdtempSync(join(tmpdir(), 'durant-bench-'));
  writeFileSync(
    join(project, 'durant.conf'),
    `[production]\nrepository = ${repository.directory}\nserver = ${seen.entry}\nproject_dir = ~/site\n`,
  );
  let releases = 0;
  let cleared = 0;
  return {
    clear() {
      cleared += 1;
      for (const folder of ['site', 'rsync'])
        if (existsSync(join(server.home, folder)))
          renameSync(join(server.home, folder), join(server.home, `${folder}.${cleared}`));
      mkdirSync(join(server.home, 'rsync'));
      releases = 0;
    },
    change: (round) => change(repository, files, round),
    durant: () =>
      measure(
        proxy,
        home,
        project,
        `${process.execPath} ${process.env['CLI'] ?? cliBundle()} deploy production`,
      ),
    rsync() {
      releases += 1;
      const clone = join(project, 'clone');
      const ssh = `ssh -p ${seen.port}`;
      const to = `${seen.user}@${seen.host}`;
      const link = releases === 1 ? '' : `--link-dest=../${releases - 1}`;
      return measure(
        proxy,
        home,
        project,
        `set -e
if [ -d ${clone} ]; then git -C ${clone} fetch -q; else git clone -q --no-checkout ${repository.directory} ${clone}; fi
git -C ${clone} checkout -q --detach origin/main
rsync -az ${link} --exclude .git -e '${ssh}' ${clone}/ ${to}:rsync/${releases}/
${ssh} ${to} 'cd rsync && ln -s ${releases} next && mv -T next current'`,
      );
    },
    async spareIsReady() {
      const folder = join(server.home, 'site/.durant');
      await waitFor(
        'the spare',
        () => readdirSync(folder).some((name) => existsSync(join(folder, name, 'for'))),
        60_000,
      ).catch(() => process.stdout.write('(no spare)\n'));
    },
    async close() {
      await proxy.stop();
      await server.stop();
      await home.remove();
      repository.remove();
      rmSync(project, { recursive: true, force: true });
    },
  };
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

async function measure(proxy: Proxy, home: CliHome, cwd: string, script: string): Promise<Figures> {
  // What the round before has written or removed is not this one's to bring to the disk.
  spawnSync('sync');
  proxy.resetCounters();
  const began = performance.now();
  const peak = join(cwd, 'peak');
  const child = spawn('python3', ['-c', peakScript, peak, 'sh', '-c', script], {
    cwd,
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${script} ended with ${status}:\n${Buffer.concat(said).toString()}`);
  await delay(100);
  const [memory = Number.NaN, processor = Number.NaN] = readFileSync(peak, 'utf8').split(' ').map(Number);
  return { seconds, turns: proxy.turns, ...proxy.bytes, memory, processor };
}

function print(title: string, ours: readonly Figures[], theirs: readonly Figures[]): void {
  const line = (name: string, figures: readonly Figures[]): string =>
    `  ${name.padEnd(8)}${median(figures, 'seconds').toFixed(2)} s  ${median(figures, 'turns')} round trips  ${kilobytes(median(figures, 'up'))} up  ${kilobytes(median(figures, 'down'))} down  ${megabytes(median(figures, 'memory'))} peak  ${median(figures, 'processor').toFixed(2)} s processor (least ${Math.min(...figures.map(({ processor }) => processor)).toFixed(2)})`;
  const ratio = median(ours, 'seconds') / median(theirs, 'seconds');
  process.stdout.write(
    `${title}\n${line('durant', ours)}\n${line('rsync', theirs)}\n  ratio   ${ratio.toFixed(2)}\n`,
  );
}

function median(figures: readonly Figures[], field: keyof Figures): number {
  const sorted = figures.map((each) => each[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function firstLine(command: string, ...args: readonly string[]): string {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout.split('\n', 1)[0] ?? '';
}
