// npm run simulate -- --seeds N [--from N] [--jobs N] | --seed N | --nth [--only TRIAL] [--from N] | --power | --window
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepareTrial, TRIALS } from './nth.ts';
import { cutPower, POWER_CUTS } from './powerCut.ts';
import { live, type Life } from './simulation.ts';
import { withSurroundings, type Surroundings } from './surroundings.ts';
import { switchWindows } from './switchWindow.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    // Of a process among others: lives every step-th seed.
    step: { type: 'string' },
    nth: { type: 'boolean', default: false },
    only: { type: 'string' },
    power: { type: 'boolean', default: false },
    window: { type: 'boolean', default: false },
  },
});

if (values.nth) process.exitCode = await failEach(values.only, Number(values.from));
else if (values.power) process.exitCode = await cutAll();
else if (values.window) await measureWindows();
else if (values.seed !== undefined) process.exitCode = await repeat(Number(values.seed));
else if (values.step !== undefined)
  await liveMany(Number(values.from), Number(values.seeds), Number(values.step));
else
  process.exitCode = await shareOut(Number(values.from), Number(values.seeds ?? 1000), Number(values.jobs));

/** One seed, told step by step. */
async function repeat(seed: number): Promise<number> {
  let status = 0;
  await withSurroundings(async (surroundings) => {
    const life = await liveIn(surroundings, seed);
    console.log(life.trace.join('\n'));
    console.log(life.violation === undefined ? 'All invariants hold.' : `BROKEN: ${life.violation}`);
    status = life.violation === undefined ? 0 : 1;
  });
  return status;
}

/** Several processes, each with every jobs-th seed. */
async function shareOut(from: number, seeds: number, jobs: number): Promise<number> {
  const began = performance.now();
  const broken: number[] = [];
  const faults = new Map<string, number>();
  let [lives, scripts] = [0, 0];
  await Promise.all(
    Array.from({ length: jobs }, (_, index) => {
      const args = ['--from', String(from + index), '--seeds', String(from + seeds), '--step', String(jobs)];
      const child = fork(fileURLToPath(import.meta.url), args);
      child.on('message', (message: Report) => {
        lives += 1;
        scripts += message.scripts;
        for (const [fault, count] of message.faults) faults.set(fault, (faults.get(fault) ?? 0) + count);
        if (message.violation === undefined) return;
        broken.push(message.seed);
        console.log(`\nseed ${message.seed}: ${message.violation}`);
        console.log(message.trace.join('\n'));
        console.log(`Again: npm run simulate -- --seed ${message.seed}`);
      });
      return new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (status) => {
          if (status !== 0) reject(new Error(`A process of the simulation ended with status ${status}.`));
          else resolve();
        });
      });
    }),
  );
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${lives} seeds, ${scripts} scripts, ${seconds} s`);
  for (const [fault, count] of [...faults].sort()) console.log(`  ${fault}: ${count}`);
  console.log(
    broken.length === 0
      ? 'All invariants hold.'
      : `BROKEN by seeds ${broken.sort((a, b) => a - b).join(', ')}`,
  );
  return broken.length === 0 ? 0 : 1;
}

interface Report extends Pick<Life, 'violation' | 'trace' | 'scripts'> {
  readonly seed: number;
  readonly faults: readonly (readonly [string, number])[];
}

async function liveMany(from: number, below: number, step: number): Promise<void> {
  await withSurroundings(async (surroundings) => {
    for (let seed = from; seed < below; seed += step) {
      const { trace, violation, scripts, faults } = await liveIn(surroundings, seed);
      const told = violation === undefined ? [] : trace;
      const report: Report = { seed, violation, scripts, trace: told, faults: [...faults] };
      process.send?.(report);
    }
  });
  process.disconnect();
}

function liveIn(surroundings: Surroundings, seed: number): Promise<Life> {
  return live(seed, { ...surroundings, folder: join(surroundings.folder, String(seed)) });
}

/** Every command of every trial, or of one, fails once. */
async function failEach(only: string | undefined, from: number): Promise<number> {
  let broken = 0;
  await withSurroundings(async (surroundings) => {
    for (const [index, trial] of TRIALS.entries()) {
      if (only !== undefined && only !== trial.name) continue;
      const world = await prepareTrial(trial, {
        ...surroundings,
        folder: join(surroundings.folder, String(index)),
      });
      let n = from;
      for (; ; n += 1) {
        const { failed, violation, ended } = await world.attempt(n);
        const [outcome] = ended.split('\n');
        console.log(`${trial.name}: ${n} (${(failed ?? 'none').slice(0, 80)}): ${outcome}`);
        if (violation !== undefined) {
          broken += 1;
          console.log(`  BROKEN: ${violation}`);
        }
        if (failed === undefined) break;
      }
      console.log(`${trial.name}: N = ${n - 1}`);
      world.remove();
    }
  });
  return broken === 0 ? 0 : 1;
}

async function cutAll(): Promise<number> {
  let broken = 0;
  await withSurroundings(async (surroundings) => {
    for (const [index, { name, conf, operations }] of POWER_CUTS.entries()) {
      const folder = join(surroundings.folder, String(index));
      const { moments, syncs, flaws } = await cutPower({ ...surroundings, folder }, conf, operations);
      console.log(`${name}: ${moments} moments, ${syncs} syncs`);
      for (const flaw of new Set(flaws)) console.log(`  BROKEN: ${flaw}`);
      broken += flaws.length;
    }
  });
  return broken === 0 ? 0 : 1;
}

async function measureWindows(): Promise<void> {
  await withSurroundings(async (surroundings) => {
    for (const servers of [2, 10, 50]) {
      const folder = join(surroundings.folder, String(servers));
      const windows = await switchWindows({ ...surroundings, folder }, servers, 5);
      console.log(`${servers} servers: ${windows.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
    }
  });
}
