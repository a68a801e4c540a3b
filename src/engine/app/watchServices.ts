/** The services of a run's release: whether they are up and stay so, and what they said where they did not. */
import { DurantError } from '../../errors.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { lastLines, runScript } from '../run/script.ts';
import { lastLinesScript, serviceOf, SHOWN_LINES } from './journal.ts';
import type { ServiceSet, UnitFile } from './serviceSet.ts';
import { saysReady, troubles, watchScript, type UnitTrouble } from './unitStates.ts';

interface Watching {
  readonly run: Run;
  readonly server: ServerRun;
  readonly signal: AbortSignal;
}

/**
 * Looks at the services until they have been up for `watch`, or only once.
 * @throws {DurantError} `health-check-failed`, with the last lines of the service's journal as output.
 */
export async function watchServices(
  watching: Watching,
  set: ServiceSet,
  how: 'once' | 'to the end',
): Promise<void> {
  const { run, server, signal } = watching;
  if (set.units.every(({ units }) => units.length === 0)) return;
  const { started, restarts = new Map() } = server.services ?? {};
  // An instance has been watched before anybody was led to it.
  const isProved = server.services?.begun === true ? hasProved : saysReady;
  const proved = set.units.every((file) => !file.name.endsWith('.service') || isProved(file));
  const until = how === 'once' || proved ? 0 : (started ?? performance.now()) + run.settings.watch;
  for (;;) {
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    const script = watchScript(set, sudoOf(server), left);
    const { stdout } = await runScript(server, script, { signal });
    const found = troubles(stdout.toString('utf8'), set, restarts);
    const isOver = performance.now() >= until;
    const down = found.filter(({ kind }) => kind === 'down' || (isOver && how === 'to the end'));
    if (down.length > 0) throw await notUp(watching, set, down);
    if (isOver) return;
  }
}

function hasProved(file: UnitFile): boolean {
  return file.beside === true || saysReady(file);
}

async function notUp(
  watching: Watching,
  set: ServiceSet,
  down: readonly UnitTrouble[],
): Promise<DurantError> {
  const { run, server } = watching;
  const { entry } = server.address;
  const restarted = down.some(({ why }) => why.startsWith('was restarted'));
  const within = restarted ? `, within ${String(run.settings.watch / 1000)} s of its start (watch)` : '';
  const output = await journalOf(watching, set, down);
  return new DurantError(
    'health-check-failed',
    `On ${entry} ${down.map(({ unit, why }) => `${unit} ${why}`).join(', ')}${within}.`,
    { server: entry, output },
  );
}

/** The last lines that the first service of these wrote; undefined where there are none, or nobody may read them. */
export async function journalOf(
  { server, signal }: Watching,
  set: ServiceSet,
  down: readonly Pick<UnitTrouble, 'unit'>[],
): Promise<string | undefined> {
  const [first] = [...down.filter(({ unit }) => unit.endsWith('.service')), ...down];
  if (first === undefined) return undefined;
  const script = lastLinesScript(set.manager, sudoOf(server), serviceOf(first.unit));
  const { stdout } = await runScript(server, script, { signal });
  const said = lastLines(stdout.toString('utf8'), SHOWN_LINES);
  return said === '' ? undefined : said;
}

/** Why services that could not be started were not. Undefined where all are up. */
export async function failedStart(
  watching: Watching,
  set: ServiceSet,
): Promise<{ readonly what: string; readonly output: string | undefined } | undefined> {
  const { server, signal } = watching;
  const { stdout } = await runScript(server, watchScript(set, sudoOf(server), 0), { signal });
  const down = troubles(stdout.toString('utf8'), set, new Map());
  if (down.length === 0) return undefined;
  return {
    what: down.map(({ unit, why }) => `${unit} ${why}`).join(', '),
    output: await journalOf(watching, set, down),
  };
}

function sudoOf({ services }: ServerRun) {
  return services?.sudo ?? ({ kind: 'free' } as const);
}
