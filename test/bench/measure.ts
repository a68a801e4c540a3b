/** One command of the bench: what it took, and how that is said. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliHome } from '../support/cli.ts';
import type { Proxy } from '../support/proxy.ts';

export interface Figures {
  readonly seconds: number;
  /** Round trips and bytes, over all proxies. */
  readonly turns: number;
  readonly up: number;
  readonly down: number;
  /** Peak resident memory of the client's largest process, bytes. */
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

/** @throws where the script fails. */
export async function measure(
  proxies: readonly Proxy[],
  home: CliHome,
  cwd: string,
  script: string,
): Promise<Figures> {
  // What the round before has written or removed is not this one's to bring to the disk.
  spawnSync('sync');
  for (const proxy of proxies) proxy.resetCounters();
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
  const sum = (of: (proxy: Proxy) => number): number =>
    proxies.reduce((total, proxy) => total + of(proxy), 0);
  return {
    seconds,
    turns: sum(({ turns }) => turns),
    up: sum(({ bytes }) => bytes.up),
    down: sum(({ bytes }) => bytes.down),
    memory,
    processor,
  };
}

export function median(figures: readonly Figures[], field: keyof Figures): number {
  const sorted = figures.map((each) => each[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function least(figures: readonly Figures[], field: keyof Figures): number {
  return Math.min(...figures.map((each) => each[field]));
}

/** One line of the table. */
export function lineOf(name: string, figures: readonly Figures[]): string {
  const bytes = (field: 'up' | 'down'): string => `${(median(figures, field) / 1000).toFixed(1)} kB ${field}`;
  return [
    `  ${name.padEnd(11)}${median(figures, 'seconds').toFixed(2)} s`,
    `${median(figures, 'turns')} round trips`,
    bytes('up'),
    bytes('down'),
    `${(median(figures, 'memory') / 1e6).toFixed(0)} MB peak`,
    `${median(figures, 'processor').toFixed(2)} s processor (least ${least(figures, 'processor').toFixed(2)})`,
  ].join('  ');
}
