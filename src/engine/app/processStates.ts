/** How the units of an application are, in systemd's words. */
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { useManager } from './manager.ts';
import type { ServiceSet } from './serviceSet.ts';

/** One unit of a process on one server. */
export interface ProcessState {
  readonly process: string;
  readonly unit: string;
  /** systemd's words: `active`, `inactive`, `failed`, `activating` …; and below it `running`, `listening`, `waiting`, `dead` …. */
  readonly state: string;
  readonly sub: string;
  /** When it came up, UTC ISO 8601; null where it is not up. */
  readonly since: string | null;
  readonly pid: number | null;
  /** How often systemd restarted it by itself. */
  readonly restarts: number;
  readonly memory_bytes: number | null;
}

const SHOWN = ['ActiveState', 'SubState', 'MainPID', 'NRestarts', 'ActiveEnterTimestamp', 'MemoryCurrent'];

/** The state of every unit of a set, in its order: one round trip, none where it has no units. */
export async function processStates(
  connection: Connection,
  set: ServiceSet,
  signal: AbortSignal,
): Promise<readonly ProcessState[]> {
  const wanted = set.units.flatMap((file) => file.units.map((unit) => ({ process: file.process, unit })));
  if (wanted.length === 0) return [];
  const { stdout } = await connection.exec({
    script: `LC_ALL=C TZ=UTC; export LC_ALL TZ
as() { :; }
${useManager(set.manager)}
for u in ${wanted.map(({ unit }) => quote(unit)).join(' ')}; do look show ${SHOWN.map((name) => `-p ${name}`).join(' ')} "$u"; echo; done`,
    signal,
  });
  const blocks = stdout.toString('utf8').split('\n\n');
  return wanted.map(({ process, unit }, index) => {
    const fields = new Map(
      (blocks[index] ?? '').split('\n').map((line): [string, string] => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const number = (key: string): number | null => {
      const value = fields.get(key) ?? '';
      return /^\d{1,15}$/.test(value) ? Number(value) : null;
    };
    const came = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(fields.get('ActiveEnterTimestamp') ?? '');
    const state = fields.get('ActiveState') ?? 'unknown';
    return {
      process,
      unit,
      state,
      sub: fields.get('SubState') ?? '',
      since: state === 'active' && came !== null ? `${came[1] ?? ''}T${came[2] ?? ''}.000Z` : null,
      pid: number('MainPID') === 0 ? null : number('MainPID'),
      restarts: number('NRestarts') ?? 0,
      memory_bytes: number('MemoryCurrent'),
    };
  });
}
