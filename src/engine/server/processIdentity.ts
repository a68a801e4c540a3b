/** Where a process id means anything: a machine since its last start, and in it a namespace of process ids. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

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

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
