/** Finding and ending the processes that a test started, by the marks they carry. Linux (`/proc`) only; elsewhere nothing is found. */
import { readdir, readFile } from 'node:fs/promises';

export interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Arguments joined by spaces. */
  readonly command: string;
}

/** Every process that can be seen, zombies left out. */
export async function allProcesses(): Promise<readonly FoundProcess[]> {
  const found: FoundProcess[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || state === '' || state === 'Z' || state === 'X') continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    found.push({
      pid: Number(name),
      parent: Number(parent),
      group: Number(group),
      command: command.replaceAll('\0', ' ').trim(),
    });
  }
  return found;
}

/** Processes that were started with `NAME=value` in their environment (their children too, unless they cleared it). */
export async function processesWithEnvironment(
  name: string,
  value: string,
): Promise<readonly FoundProcess[]> {
  const marked: FoundProcess[] = [];
  for (const process of await allProcesses()) {
    const environment = await readFile(`/proc/${process.pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`${name}=${value}`)) marked.push(process);
  }
  return marked;
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
