/** `npm test [-- FOLDER|FILE… --grep TEXT --repeat N --bail --serial]`: each file in a process of its own; ends with `N passed, N failed`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { endProcesses, processesWithEnvironment, runVariable } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { buildIfStale } from './build.ts';
import { cpuGroup } from './cpuTime.ts';
import { added, lookAround } from './leftovers.ts';
import { runMachines } from './machine.ts';
import { AT_ONCE, findTests, inOrder } from './plan.ts';
import { fileBlock, summary, type ReportedFile } from './report.ts';
import { runFile } from './runFile.ts';
import { makeRunFolder, removeRunFolder } from './runFolder.ts';
import { schedule } from './schedule.ts';

/** Milliseconds that each file took in the last run of all. */
const durationsFile = resolve('.cache/test-durations.json');

const ci = process.env['CI'] !== undefined;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: 'string', short: 'g' },
    repeat: { type: 'string' },
    bail: { type: 'boolean', default: false },
    serial: { type: 'boolean', default: false },
  },
});

const durations = readDurations();
const files = inOrder(chosenTests(), durations);
const rounds =
  values.repeat === undefined
    ? [undefined]
    : Array.from({ length: Number(values.repeat) }, (_, index) => index + 1);
const runs = rounds.flatMap((round) =>
  files.map((file) => ({ ...file, round, waits: file.waits && !values.serial })),
);
if (!buildIfStale()) end(0, 1);

const before = lookAround();
/** Processor time of the whole run in milliseconds, once it is over. */
let used: number | undefined;
const directory = makeRunFolder();
process.env[runVariable] = directory;
// What is loaded by hundreds of processes is compiled once, and kept for the next run.
process.env['NODE_COMPILE_CACHE'] ??= resolve('.cache/compiled');
const machines = runMachines(join(directory, 'systemd'));
const cpu = cpuGroup(basename(directory));
// The Debians that files share are not counted with any of them.
const own = cpu?.below('runner');
if (own !== undefined) writeFileSync(own.members, String(process.pid));
const outcomes: ReportedFile[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)));

await schedule(
  runs,
  values.serial ? 1 : Math.max(2, 2 * availableParallelism()),
  async ({ path, round }, index) => {
    const lease = machines.lease();
    const outcome = await runFile({
      plan: {
        file: path,
        bail: values.bail,
        color: process.stdout.isTTY === true,
        ...(values.grep === undefined ? {} : { grep: values.grep }),
      },
      directory: join(directory, String(index + 1)),
      askMachine: lease.answer,
      cpuGroup: cpu?.below(String(index + 1)),
      ...(runs.length === 1 ? { live: process.stdout } : {}),
    }).finally(lease.giveBack);
    const file = { ...outcome, path, round };
    outcomes.push(file);
    durations.set(path, outcome.milliseconds);
    if (runs.length > 1) console.log(fileBlock(file));
  },
  () => values.bail && outcomes.some(({ failed }) => failed.length > 0),
  AT_ONCE,
);
const left = [...(await cleanUp())];
if (positionals.length === 0 && values.grep === undefined) writeDurations();

console.log(summary(outcomes, used));
const beside = added(before, lookAround());
if (ci) left.push(...beside);
// Where others work on the same machine it may be theirs.
else for (const what of beside) console.log(`New since the run began: ${what}`);
for (const what of left) console.log(`Left behind: ${what}`);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const passed = sum(outcomes.map((file) => file.passed));
const skipped = sum(outcomes.map((file) => file.skipped));
if (skipped > 0) console.log(`${skipped} skipped`);
const failed = sum(outcomes.map((file) => file.failed.length)) + left.length;
if (passed + failed === 0) console.log('No test ran.');
end(passed, failed);

/** Ends what was started and removes what was made. What outlived its file is said: it had taken its file's mark off. */
async function cleanUp(): Promise<readonly string[]> {
  await machines.end();
  const running = async () =>
    (await processesWithEnvironment(runVariable, directory)).filter(({ pid }) => pid !== process.pid);
  const processes = await running();
  endProcesses(processes);
  await waitFor('what files left to end', async () => (await running()).length === 0);
  used = cpu?.milliseconds();
  own?.remove();
  cpu?.remove();
  removeRunFolder(directory);
  return processes.map(({ pid, command }) => `process ${pid}: ${command}`);
}

function end(passed: number, failed: number): never {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(passed > 0 && failed === 0 ? 0 : 1);
}

function chosenTests(): ReturnType<typeof findTests> {
  try {
    return findTests(positionals);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    return end(0, 1);
  }
}

function readDurations(): Map<string, number> {
  try {
    return new Map(Object.entries<number>(JSON.parse(readFileSync(durationsFile, 'utf8'))));
  } catch {
    return new Map();
  }
}

function writeDurations(): void {
  mkdirSync(dirname(durationsFile), { recursive: true });
  writeFileSync(durationsFile, JSON.stringify(Object.fromEntries(durations), undefined, 1));
}
