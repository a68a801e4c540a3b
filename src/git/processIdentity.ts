/** Which process an id means: where it is one (a machine since its last start, in it a namespace of process ids), and since when. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { platform } from '../platform.ts';

export interface ProcessPlace {
  readonly host: string;
  /** Linux: /etc/machine-id; '' elsewhere, and in containers that have none. */
  readonly machine: string;
  /** Linux: an id that is new with every start of the machine; containers have that of their host. */
  readonly boot: string;
  /** Linux: the namespace of process ids, as `pid:[4026531836]`. */
  readonly namespace: string;
}

/** The namespace that a machine itself has, outside of containers: PROC_PID_INIT_INO in Linux's proc_ns.h. */
const MACHINE_NAMESPACE = 'pid:[4026531836]';

/** Where this process is. */
export function processPlace(): ProcessPlace {
  return {
    host: hostname(),
    machine: orEmpty(() => readFileSync('/etc/machine-id', 'utf8').trim()),
    boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/**
 * How a place is seen from `here`. Before a restart: all of its processes are gone. That is only said of a machine itself, as containers
 * that run on two machines may have one name and one image's machine id.
 */
export function inSamePlace(
  place: ProcessPlace,
  here: ProcessPlace,
): 'here' | 'before a restart' | 'elsewhere' {
  if (place.host !== here.host || place.machine !== here.machine) return 'elsewhere';
  if (place.boot === here.boot) return place.namespace === here.namespace ? 'here' : 'elsewhere';
  const isMachine = [place, here].every(
    ({ machine, namespace }) => machine !== '' && namespace === MACHINE_NAMESPACE,
  );
  return isMachine ? 'before a restart' : 'elsewhere';
}

/** When a process started, as text that differs for every process that ever had this id; empty where there is none. */
export function processStart(pid: number): string {
  try {
    if (platform.processStart === 'proc') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A zombie has ended: nobody has collected its status yet.
      return fields[0] === 'Z' ? '' : (fields[19] ?? '');
    }
    if (platform.processStart === 'signal') {
      process.kill(pid, 0);
      return 'running';
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** A place that was written as JSON; undefined for what is none. */
export function parsePlace(value: unknown): ProcessPlace | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('host' in value && 'machine' in value && 'boot' in value && 'namespace' in value)) return undefined;
  const { host, machine, boot, namespace } = value;
  const whole =
    typeof host === 'string' &&
    typeof machine === 'string' &&
    typeof boot === 'string' &&
    typeof namespace === 'string';
  return whole ? { host, machine, boot, namespace } : undefined;
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
