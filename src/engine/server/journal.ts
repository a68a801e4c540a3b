/**
 * The local journal of runs: one file a run, written before the first lock is taken and marked when the run has ended. A lock on a
 * server is ours and dead only if this journal has its run id and that process is gone or the run has ended. The folder may be shared by
 * several machines (a home in the network, containers): only what was begun where we are can be looked at.
 */
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inSamePlace, processPlace, processStart, type ProcessPlace } from '../../git/processIdentity.ts';

/** One run as this machine remembers it. */
export interface JournalEntry {
  readonly run: string;
  readonly stage: string;
  /** Path of the durant.conf it ran from. */
  readonly config: string;
  readonly action: string;
  readonly servers: readonly string[];
  readonly started: string;
  /** Process that runs it, when that process started, as the operating system tells it, and where its id means anything. */
  readonly pid: number;
  readonly processStarted: string;
  readonly place?: ProcessPlace;
  /** Whether the run has come to its end (not: whether it succeeded). */
  readonly ended: boolean;
}

const KEPT_MS = 90 * 24 * 3600 * 1000;

export interface Journal {
  /** Writes the entry of a run that begins in this process. */
  begin(entry: Omit<JournalEntry, 'pid' | 'processStarted' | 'place' | 'ended'>): Promise<void>;
  /** Forgets a run that left nothing behind on any server. */
  forget(run: string): Promise<void>;
  /** Marks a run that ended but may have left its lock on some server. */
  end(run: string): Promise<void>;
  /** Whether the run is known to be over, however it ended. One of another machine is only where it says so itself. */
  isDead(run: string): Promise<boolean>;
  /** Runs that are over without having cleaned up after themselves. */
  interrupted(): Promise<readonly JournalEntry[]>;
}

/** A journal in the folder `stateDir/runs`. */
export function openJournal(stateDir: string, here: ProcessPlace = processPlace()): Journal {
  const folder = join(stateDir, 'runs');
  const file = (run: string): string => join(folder, `${run}.json`);
  const read = async (run: string): Promise<JournalEntry | undefined> => {
    if (!/^[A-Za-z0-9-]+$/.test(run)) return undefined;
    try {
      return JSON.parse(await readFile(file(run), 'utf8')) as JournalEntry;
    } catch {
      // Missing or cut off by a crash: not ours to judge, so the lock needs `unlock`.
      return undefined;
    }
  };
  const write = async (entry: JournalEntry): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const temporary = `${file(entry.run)}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(entry), { mode: 0o600 });
    await rename(temporary, file(entry.run));
  };
  const over = ({ ended, place, pid, processStarted }: JournalEntry): boolean => {
    if (ended) return true;
    switch (place === undefined ? 'elsewhere' : inSamePlace(place, here)) {
      case 'here':
        return processStart(pid) !== processStarted;
      case 'before a restart':
        return true;
      case 'elsewhere':
        return false;
    }
  };

  return {
    async begin(entry) {
      await write({
        ...entry,
        pid: process.pid,
        processStarted: processStart(process.pid),
        place: here,
        ended: false,
      });
    },
    async forget(run) {
      await rm(file(run), { force: true });
    },
    async end(run) {
      const entry = await read(run);
      if (entry !== undefined) await write({ ...entry, ended: true });
    },
    async isDead(run) {
      const entry = await read(run);
      return entry !== undefined && over(entry);
    },
    async interrupted() {
      const names = await readdir(folder).catch(() => []);
      const entries: JournalEntry[] = [];
      for (const name of names.filter((each) => each.endsWith('.json'))) {
        const entry = await read(name.slice(0, -'.json'.length));
        if (entry === undefined || !over(entry)) continue;
        const age = Date.now() - (await stat(join(folder, name))).mtimeMs;
        if (age > KEPT_MS) await rm(join(folder, name), { force: true });
        else entries.push(entry);
      }
      return entries;
    },
  };
}
