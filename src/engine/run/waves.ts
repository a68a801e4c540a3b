/** Waves: the groups of servers that are switched one after the other, by `waves` (as Ansible's `serial`). */
import { makesRelease, type Run, type ServerRun } from './run.ts';

export interface Wave {
  /** From 1. */
  readonly number: number;
  readonly of: number;
  readonly servers: readonly ServerRun[];
}

/** The waves of a run. A rollback has one: what is bad leaves all servers at once. */
export function wavesOf(run: Run): readonly Wave[] {
  const groups = inGroups(run.servers, makesRelease(run) ? run.settings.waves : []);
  return groups.map((each, index) => ({ number: index + 1, of: groups.length, servers: each }));
}

/** The wave that a server is switched in; undefined where there is but one. */
export function waveOf(run: Run, server: ServerRun): Wave | undefined {
  const waves = wavesOf(run);
  return waves.length < 2 ? undefined : waves.find(({ servers }) => servers.includes(server));
}

/** What the user's commands see of the wave that they run in. */
export function waveEnv({ number, of, servers }: Wave): Readonly<Record<string, string>> {
  return {
    DURANT_WAVE: `${number} of ${of}`,
    DURANT_SERVERS: servers.map(({ address }) => address.entry).join(' '),
  };
}

/**
 * Splits a list into successive groups.
 * @param sizes numbers (`2`), shares of the whole (`25%`, rounded up, at least 1) or `rest`; the last repeats. None: one group.
 */
export function inGroups<T>(all: readonly T[], sizes: readonly string[]): readonly (readonly T[])[] {
  const groups: (readonly T[])[] = [];
  for (let at = 0; at < all.length;) {
    const size = sizeOf(sizes[Math.min(groups.length, sizes.length - 1)], all.length);
    groups.push(all.slice(at, at + size));
    at += size;
  }
  return groups;
}

function sizeOf(text: string | undefined, all: number): number {
  if (text === undefined || text === 'rest') return all;
  const number = Number(text.replace('%', ''));
  return Math.max(1, text.endsWith('%') ? Math.ceil((all * number) / 100) : number);
}
