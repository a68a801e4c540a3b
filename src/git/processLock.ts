/** A lock between processes of this machine: a file that names its holder, made whole or not at all, and taken over when the holder is gone. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { DurantError, reasonOf, throwIfCancelled } from '../errors.ts';
import { inSamePlace, parsePlace, processPlace, processStart, type ProcessPlace } from './processIdentity.ts';

export interface LocalLock {
  /** Whether the holder before us died without giving it back, so that what it guards may be half done. */
  readonly takenOver: boolean;
  /** Removes our lock, and nobody else's. Idempotent. */
  release(): Promise<void>;
}

/** Who holds a lock. */
interface Holder {
  readonly id: string;
  readonly pid: number;
  /** When that process started, from `processStart`. */
  readonly start: string;
  readonly host: string;
  /** Where `pid` means anything. */
  readonly place?: ProcessPlace;
  /** ISO 8601. */
  readonly since: string;
}

export interface LockRequest {
  readonly file: string;
  readonly signal: AbortSignal;
  /** Called once, when somebody else has held the lock for `patience` ms (default 0). */
  readonly onWait: (holder: Pick<Holder, 'pid' | 'host' | 'since'>) => void;
  readonly patience?: number;
}

const POLL_MS = 100;
/** How long a holder may take to write its name, on a file system without hard links. */
const WRITING_MS = 5000;

/**
 * Takes the lock, waiting for as long as a living process holds it.
 *
 * @throws {DurantError} `cancelled`.
 */
export async function acquireLock(request: LockRequest): Promise<LocalLock> {
  const { file, signal } = request;
  const me: Holder = {
    id: randomBytes(8).toString('hex'),
    pid: process.pid,
    start: processStart(process.pid),
    host: hostname(),
    place: processPlace(),
    since: new Date().toISOString(),
  };
  const started = Date.now();
  let said = false;
  let takenOver = false;
  for (;;) {
    throwIfCancelled(signal);
    if (await create(file, me)) break;
    const holder = await read(file);
    if (holder === 'absent') continue;
    if (holder === 'unreadable' || (holder !== 'in the making' && !isAlive(holder))) {
      takenOver = (await removeDead(file, holder, me)) || takenOver;
      continue;
    }
    if (!said && holder !== 'in the making' && Date.now() - started >= (request.patience ?? 0)) {
      said = true;
      request.onWait(holder);
    }
    await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return {
    takenOver,
    async release() {
      const holder = await read(file);
      if (typeof holder === 'object' && holder.id === me.id) await rm(file, { force: true });
    },
  };
}

/** Whether the process is there; of another machine (a folder in a network) or container it cannot be known, so it is. */
function isAlive({ host, place, pid, start }: Holder): boolean {
  // Earlier versions wrote only the name of the machine.
  if (place === undefined) return host !== hostname() || processStart(pid) === start;
  switch (inSamePlace(place, processPlace())) {
    case 'here':
      return processStart(pid) === start;
    case 'before a restart':
      return false;
    case 'elsewhere':
      return true;
  }
}

/** Writes the file under another name and links it, so that nobody ever reads half of it. */
async function create(file: string, me: Holder): Promise<boolean> {
  const text = `${JSON.stringify(me)}\n`;
  const temporary = `${file}.${me.id}`;
  try {
    await writeFile(temporary, text, { mode: 0o600 });
    try {
      await link(temporary, file);
    } catch (error) {
      // Whoever holds the lock may clean the folder around it: the caller sees who that is and tries again.
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM') && !hasCode(error, 'ENOTSUP') && !hasCode(error, 'ENOSYS')) throw error;
    // A file system without hard links: exclusive, if not whole at once.
    return await writeFile(file, text, { mode: 0o600, flag: 'wx' }).then(
      () => true,
      (failure: unknown) => {
        if (hasCode(failure, 'EEXIST')) return false;
        throw failure;
      },
    );
  } finally {
    await rm(temporary, { force: true });
  }
}

async function read(file: string): Promise<Holder | 'absent' | 'in the making' | 'unreadable'> {
  let text;
  let age;
  try {
    text = await readFile(file, 'utf8');
    age = Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'absent';
    throw new DurantError('checkout-failed', `The local lock ${file} cannot be read: ${reasonOf(error)}.`, {
      remedy: 'Make it readable, or remove it.',
      cause: error,
    });
  }
  return parse(text) ?? (age < WRITING_MS ? 'in the making' : 'unreadable');
}

function parse(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off by a crash, on a file system without hard links.
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('id' in value && 'pid' in value && 'start' in value && 'host' in value && 'since' in value))
    return undefined;
  const { id, pid, start, host, since } = value;
  const place = 'place' in value ? parsePlace(value.place) : undefined;
  const whole =
    typeof id === 'string' &&
    typeof pid === 'number' &&
    typeof start === 'string' &&
    typeof host === 'string' &&
    typeof since === 'string';
  return whole ? { id, pid, start, host, since, ...(place && { place }) } : undefined;
}

/**
 * Removes the lock of a dead holder. Two who see the same dead holder must not both do so: the second would remove the
 * lock that the first has made since. So the right to remove it is itself taken exclusively, under that holder's name, and
 * taken over in the same way where its holder died.
 */
async function removeDead(file: string, dead: Holder | 'unreadable', me: Holder): Promise<boolean> {
  const id = dead === 'unreadable' ? 'unreadable' : dead.id.replace(/[^A-Za-z0-9]/g, '');
  const right = `${file}.taken-${id}`;
  if (!(await create(right, me))) {
    const other = await read(right);
    if (other === 'absent') return false;
    if (other === 'unreadable' || (other !== 'in the making' && !isAlive(other)))
      await removeDead(right, other, me);
    else await wait(POLL_MS / 10);
    return false;
  }
  try {
    const now = await read(file);
    const same = typeof now === 'object' && typeof dead === 'object' ? now.id === dead.id : now === dead;
    if (same) await rm(file, { force: true });
    return same;
  } finally {
    await rm(right, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
