/** Runs one test file in this process and tells the runner, which started it, what came of it. */
import Mocha from 'mocha';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ownMilliseconds } from './cpuTime.ts';
import { endProcesses, processesWithEnvironment, fileVariable } from '../support/processes.ts';

/** The argument, as JSON. */
export interface ChildPlan {
  readonly file: string;
  readonly grep?: string;
  readonly bail: boolean;
  readonly color: boolean;
  /** Where this process is to write its id, for its processor time to be counted. */
  readonly cpuMembers?: string;
}

/** What came of a file whose run came to its end. */
export interface ChildResult {
  readonly announced: number;
  readonly passed: number;
  readonly skipped: number;
  /** Full titles. */
  readonly failed: readonly string[];
  /** Of this process, and of those it started that have ended, in milliseconds. */
  readonly cpu: number;
}

const { file, grep, bail, color, cpuMembers }: ChildPlan = JSON.parse(process.argv[2] ?? '');
if (cpuMembers !== undefined) writeFileSync(cpuMembers, String(process.pid));
// Where the runner is gone, all that this file has started ends with it.
process.once('disconnect', async () => {
  const started = await processesWithEnvironment(fileVariable, process.env[fileVariable] ?? '');
  endProcesses(started.filter(({ pid }) => pid !== process.pid));
  process.exit(1);
});

const mocha = new Mocha({
  // For a machine that has much else to do; quiet, hardly a test takes a tenth of it.
  timeout: 180_000,
  bail,
  color,
  forbidOnly: process.env['CI'] !== undefined,
  ...(grep === undefined ? {} : { grep }),
});
mocha.addFile(resolve(file));
await mocha.loadFilesAsync();
const failed: string[] = [];
const runner = mocha.run(() => {
  const result: ChildResult = {
    announced: runner.grepTotal(runner.suite),
    passed: runner.stats?.passes ?? 0,
    skipped: runner.stats?.pending ?? 0,
    failed,
    cpu: ownMilliseconds(),
  };
  process.send?.(JSON.stringify(result), () => {
    process.removeAllListeners('disconnect');
    process.disconnect();
  });
  setTimeout(() => {
    console.error('After the last test there is still open:', process.getActiveResourcesInfo().join(', '));
    process.exit(1);
  }, 30_000).unref();
});
runner.on('fail', (test) => failed.push(test.fullTitle()));
