/** One test file in a process of its own, and what came of it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { machineRequest, type MachineAnswer } from '../support/systemd.ts';
import type { ChildPlan, ChildResult } from './child.ts';
import type { CpuGroup } from './cpuTime.ts';
import { fileVariable } from '../support/processes.ts';
import { leftBy } from './leftovers.ts';

export interface FileRun {
  readonly plan: Omit<ChildPlan, 'cpuMembers'>;
  /** A new one, for this run of this file alone. */
  readonly directory: string;
  /** Called when the file asks for a Debian. */
  readonly askMachine: () => Promise<MachineAnswer>;
  /** Made for this run of this file alone, and removed here. */
  readonly cpuGroup: CpuGroup | undefined;
  /** Its output goes there at once; without it, it is kept. */
  readonly live?: NodeJS.WritableStream;
}

export interface FileOutcome {
  readonly passed: number;
  readonly skipped: number;
  /** One line each: titles of tests, and what is wrong with the file as a whole. */
  readonly failed: readonly string[];
  readonly output: string;
  readonly milliseconds: number;
  /** Processor time in milliseconds; where there is no group for it, of the processes that had ended with the tests. */
  readonly cpu: number;
}

export async function runFile({
  plan,
  directory,
  askMachine,
  cpuGroup,
  live,
}: FileRun): Promise<FileOutcome> {
  const began = performance.now();
  const home = `${directory}.home`;
  for (const folder of [directory, home]) mkdirSync(folder);
  const child = fork(
    join(import.meta.dirname, 'child.ts'),
    [JSON.stringify({ ...plan, cpuMembers: cpuGroup?.members })],
    {
      env: environment(directory, home),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl+C is for the runner to act on.
      detached: true,
    },
  );
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (live === undefined ? chunks.push(chunk) : live.write(chunk)));
  let result: ChildResult | undefined;
  child.on('message', (message) => {
    if (message !== machineRequest) result = JSON.parse(String(message));
    else void askMachine().then((answer) => child.connected && child.send(JSON.stringify(answer)));
  });
  const closed = once(child, 'close');
  const [status, signal] = await once(child, 'exit');
  const left = await leftBy(directory);
  // What was left may have held its output open.
  await closed;
  const cpu = cpuGroup?.milliseconds() ?? result?.cpu ?? 0;
  cpuGroup?.remove();
  const end = signal ?? `status ${String(status)}`;
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  return {
    passed: result?.passed ?? 0,
    skipped: result?.skipped ?? 0,
    failed: [
      ...(result?.failed ?? []),
      ...wrongWith(result, end, plan),
      ...left.map((what) => `left behind: ${what}`),
    ],
    output: Buffer.concat(chunks).toString(),
    cpu,
    milliseconds: performance.now() - began,
  };
}

/** Where a file that says nothing of failures has not run all its tests. */
function wrongWith(
  result: ChildResult | undefined,
  end: string,
  { grep }: FileRun['plan'],
): readonly string[] {
  if (result === undefined) return [`its process ended before its tests did (${end})`];
  if (result.failed.length > 0) return [];
  const { announced, passed, skipped } = result;
  if (announced === 0) return grep === undefined ? ['it has no tests'] : [];
  if (passed + skipped !== announced) return [`of its ${announced} tests only ${passed + skipped} ran`];
  return end === 'status 0' ? [] : [`its process ended after its tests with ${end}`];
}

/** No test may read or write the home folder of whoever runs it; each makes its own, and this is the net below. */
function environment(directory: string, home: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SSH_AUTH_SOCK: undefined,
    SSH_ASKPASS: undefined,
    TMPDIR: directory,
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_STATE_HOME: join(home, '.local/state'),
    XDG_RUNTIME_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    [fileVariable]: directory,
  };
}
