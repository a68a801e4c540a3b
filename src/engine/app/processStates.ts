/** How the processes of an application are on a server. */
import type { Settings } from '../../config/options/options.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { useManager } from './manager.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { parseServiceSet, type ServiceSet, type UnitFile } from './serviceSet.ts';
import { servicesRecord } from './wanted.ts';

/** How a process fares: `restarting` is a crash loop, `waiting` for its time or its first visitor. */
export type ProcessStanding = 'running' | 'restarting' | 'failed' | 'waiting' | 'stopped';

/** One unit of a process on one server. */
export interface ProcessState {
  readonly process: string;
  readonly unit: string;
  readonly state: ProcessStanding;
  /** systemd's words: `active`, `inactive`, `failed`, `activating` …; and below it `running`, `listening`, `waiting`, `dead` …. */
  readonly active: string;
  readonly sub: string;
  /** When it came up, UTC ISO 8601; null where it is not up. */
  readonly since: string | null;
  readonly pid: number | null;
  /** How often systemd restarted it by itself. */
  readonly restarts: number;
  /** Since when restarts are counted, UTC ISO 8601; null where that is not known. */
  readonly restarts_since: string | null;
  /** The server's time of the look, UTC ISO 8601; null where it told none. */
  readonly observed: string | null;
  readonly memory_bytes: number | null;
}

const SHOWN = [
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'NRestarts',
  'ActiveEnterTimestamp',
  'MemoryCurrent',
];

/** A process that was restarted is sound again when it has been up for longer than this. */
const SOUND_AFTER_MS = 60_000;

interface StatesRequest {
  readonly connection: Connection;
  readonly set: ServiceSet;
  /** Absolute path of `current`, which has changed when the services were started last. */
  readonly link: string;
  readonly signal: AbortSignal;
}

/** The state of every unit of a set, services before what starts them: one round trip, none where it has no units. */
export async function processStates({
  connection,
  set,
  link,
  signal,
}: StatesRequest): Promise<readonly ProcessState[]> {
  const wanted = wantedUnits(set);
  if (wanted.length === 0) return [];
  const asked = wanted.flatMap(({ unit, job }) => (job === undefined ? [unit] : [unit, job]));
  const { stdout } = await connection.exec({
    script: `LC_ALL=C TZ=UTC; export LC_ALL TZ
as() { :; }
${useManager(set.manager)}
date +%s; stat -c %Y ${quote(link)} 2>/dev/null || echo; date -d "$(look show -p UserspaceTimestamp --value)" +%s 2>/dev/null || echo; echo
for u in ${asked.map(quote).join(' ')}; do echo "Unit=$u"; look show ${SHOWN.map((name) => `-p ${name}`).join(' ')} "$u"; echo; done`,
    signal,
  });
  const [head = '', ...blocks] = stdout.toString('utf8').split('\n\n');
  const [now = Number.NaN, ...starts] = head.split('\n').map((line) => Number.parseInt(line, 10) * 1000);
  const found = new Map(
    blocks.map(fieldsOf).map((fields): [string, Fields] => [fields.get('Unit') ?? '', fields]),
  );
  const counted = Math.max(...starts.filter((time) => !Number.isNaN(time)));
  return wanted.map(({ file, unit, job }) => {
    const fields: Fields = found.get(unit) ?? new Map();
    const number = (key: string): number | null => {
      const value = fields.get(key) ?? '';
      return /^\d{1,15}$/.test(value) ? Number(value) : null;
    };
    const active = fields.get('ActiveState') ?? 'unknown';
    const since = active === 'active' ? timeOf(fields.get('ActiveEnterTimestamp')) : null;
    const socket = set.units.find(({ name }) => name === unit.replace(/\.service$/, '.socket'));
    return {
      process: file.process,
      unit,
      state: standingOf({
        fields,
        job: job === undefined ? undefined : found.get(job),
        socket: socket === undefined ? undefined : found.get(socket.name),
        upFor: since === null ? 0 : now - Date.parse(since),
        file,
      }),
      active,
      sub: fields.get('SubState') ?? '',
      since,
      pid: number('MainPID') === 0 ? null : number('MainPID'),
      restarts: number('NRestarts') ?? 0,
      restarts_since: Number.isFinite(counted) ? new Date(counted).toISOString() : null,
      observed: Number.isFinite(now) ? new Date(now).toISOString() : null,
      memory_bytes: number('MemoryCurrent'),
    };
  });
}

/** The states of what is live on a server. */
export async function liveProcesses({
  connection,
  facts: { live, project, withServices },
  settings,
  signal,
}: {
  readonly connection: Connection;
  readonly facts: Pick<ServerFacts, 'live' | 'project' | 'withServices'>;
  readonly settings: Pick<Settings, 'current_path'>;
  readonly signal: AbortSignal;
}): Promise<readonly ProcessState[]> {
  if (live === null || !withServices.has(live)) return [];
  const file = quote(`${project}/${servicesRecord(live)}`);
  const { stdout } = await connection.exec({ script: `cat ${file}`, signal });
  const set = parseServiceSet(stdout.toString('utf8'));
  return processStates({ connection, set, link: `${project}/${settings.current_path}`, signal });
}

type Fields = ReadonlyMap<string, string>;

function wantedUnits(set: ServiceSet): readonly {
  readonly file: UnitFile;
  readonly unit: string;
  /** What a timer starts. */
  readonly job: string | undefined;
}[] {
  const isService = ({ name }: UnitFile): boolean => name.endsWith('.service');
  const processes = [...new Set(set.units.map(({ process }) => process))];
  return processes.flatMap((process) => {
    const files = set.units.filter((file) => file.process === process);
    return [...files.filter(isService), ...files.filter((file) => !isService(file))].flatMap((file) =>
      file.units.map((unit) => ({
        file,
        unit,
        job: unit.endsWith('.timer') ? unit.replace(/\.timer$/, '.service') : undefined,
      })),
    );
  });
}

function standingOf({
  fields,
  job,
  socket,
  upFor,
  file,
}: {
  readonly fields: Fields;
  readonly job: Fields | undefined;
  readonly socket: Fields | undefined;
  /** Milliseconds. */
  readonly upFor: number;
  readonly file: UnitFile;
}): ProcessStanding {
  const [active, sub, result] = ['ActiveState', 'SubState', 'Result'].map((key) => fields.get(key) ?? '');
  if (active === 'failed' || job?.get('ActiveState') === 'failed') return 'failed';
  if (sub === 'auto-restart') return 'restarting';
  if (active === 'active' || active === 'reloading' || active === 'activating') {
    if (sub === 'waiting' || sub === 'listening') return 'waiting';
    return Number(fields.get('NRestarts') ?? 0) > 0 && upFor < SOUND_AFTER_MS ? 'restarting' : 'running';
  }
  if (active === 'inactive' && socket?.get('ActiveState') === 'active') return 'waiting';
  return result === 'success' || result === '' || file.mayEnd ? 'stopped' : 'failed';
}

function fieldsOf(block: string): Fields {
  return new Map(
    block.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function timeOf(timestamp: string | undefined): string | null {
  const found = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(timestamp ?? '');
  return found === null ? null : `${found[1] ?? ''}T${found[2] ?? ''}.000Z`;
}
