/**
 * Processor time of a run and of each of its files, all processes included: in control groups of Linux (cgroups(7), version 2), which
 * root may make. Elsewhere only what a file's process and those that it has waited for have used is known.
 */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CpuGroup {
  /** Path of the file that a process writes its id to, to be counted here with all that it will start. */
  readonly members: string;
  /** User and system time so far, those of groups below included, in milliseconds. */
  milliseconds(): number;
  /** A group below; undefined where none can be made. */
  below(name: string): CpuGroup | undefined;
  /** Its processes must have ended, or are counted above from now on. */
  remove(): void;
}

/** A group below that of this process; undefined where none can be made. */
export function cpuGroup(name: string): CpuGroup | undefined {
  const own = ownGroup();
  return own === undefined ? undefined : makeGroup(own, name);
}

/** Of this process and of those that it has waited for, theirs included; elsewhere than on Linux of this process alone. Milliseconds. */
export function ownMilliseconds(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // After the name, which may have spaces: utime, stime, cutime and cstime are fields 14 to 17, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + 10 * Number(field), 0);
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

function ownGroup(): string | undefined {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mount = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    return mount === undefined || path === undefined ? undefined : join(mount, path);
  } catch {
    return undefined;
  }
}

function makeGroup(parent: string, name: string): CpuGroup | undefined {
  const directory = join(parent, name);
  const members = join(directory, 'cgroup.procs');
  try {
    mkdirSync(directory);
  } catch {
    return undefined;
  }
  return {
    members,
    milliseconds: () => {
      const used = /^usage_usec (\d+)$/m.exec(readFileSync(join(directory, 'cpu.stat'), 'utf8'))?.[1];
      return Number(used) / 1000;
    },
    below: (each) => makeGroup(directory, each),
    remove: () => {
      for (const pid of readFileSync(members, 'utf8').split('\n').filter(Boolean))
        tryTo(() => writeFileSync(join(parent, 'cgroup.procs'), pid));
      removeBelow(directory);
    },
  };
}

/** What was started there may have made groups of its own, as a container does. */
function removeBelow(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeBelow(join(directory, entry.name));
  tryTo(() => rmdirSync(directory));
}

/** Processes end, and groups go, by themselves as well. */
function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // Gone already, or in use: it does no harm.
  }
}
