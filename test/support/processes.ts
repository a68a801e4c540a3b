/** Finding and ending the processes that a test started, by the marks they carry. Linux (`/proc`) only; elsewhere nothing is found. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** In the environment of every process that a test file starts: the file's folder for temporary files. */
export const fileVariable = 'DURANT_TEST_FILE';
/** In the environment of every process of a run: the run's folder. */
export const runVariable = 'DURANT_TEST_RUN';

/** What an environment that is made anew must have, for what is left behind to be found. */
export function runEnvironment(): Record<string, string> {
  return Object.fromEntries(
    [fileVariable, runVariable, 'TMPDIR'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Arguments joined by spaces. */
  readonly command: string;
}

/** Every process that can be seen, zombies left out. Files of /proc are in memory: read at once, they cost a tenth. */
export async function allProcesses(): Promise<readonly FoundProcess[]> {
  return processIds().flatMap((pid) => describe(pid) ?? []);
}

/** Processes that were started with `NAME=value` in their environment (their children too, unless they cleared it). */
export async function processesWithEnvironment(
  name: string,
  value: string,
): Promise<readonly FoundProcess[]> {
  return processIds().flatMap((pid) =>
    readProc(pid, 'environ').split('\0').includes(`${name}=${value}`) ? (describe(pid) ?? []) : [],
  );
}

function processIds(): readonly string[] {
  return existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
}

function describe(pid: string): FoundProcess | undefined {
  const stat = readProc(pid, 'stat');
  const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === undefined || state === '' || state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim(),
  };
}

/** Empty where the process has gone, or is somebody else's. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** A process and everything below it, the process itself first. */
export async function processTree(pid: number): Promise<readonly FoundProcess[]> {
  const all = await allProcesses();
  const tree = all.filter((process) => process.pid === pid);
  for (const member of tree) tree.push(...all.filter((process) => process.parent === member.pid));
  return tree;
}

/** Sends SIGKILL; a process that is gone already is fine. */
export function endProcesses(processes: readonly FoundProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
