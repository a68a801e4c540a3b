/** How the units of a release fare after their start: a watch over them on the server, and what of it counts as a failure. Pure. */
import { quote } from '../../remote/shell.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import type { ServiceSet, UnitFile } from './serviceSet.ts';

/** Restarts by systemd, by unit, as they were counted when the units had been started. */
export type RestartCounts = ReadonlyMap<string, number>;

/** A unit that is not as it should be. */
export interface UnitTrouble {
  readonly unit: string;
  /** Goes on after the unit's name. */
  readonly why: string;
  /** `starting`: it may be up in a moment. */
  readonly kind: 'down' | 'starting';
}

/** sh lines that define `restarts`, which prints `@restarts UNIT COUNT` for each service. `look` has to be defined. */
export function defineRestarts(set: ServiceSet): string {
  const services = unitsOf(set).filter((unit) => unit.endsWith('.service'));
  return `restarts() {
${services.map((unit) => `  echo "@restarts "${quote(unit)}" $(look show -p NRestarts --value ${quote(unit)})"`).join('\n') || '  :'}
}`;
}

/** Takes the lines of `restarts` out of a script's output. */
export function parseRestarts(stdout: string): RestartCounts {
  const found = [...stdout.matchAll(/^@restarts (\S+) (\d+)$/gm)];
  return new Map(found.map(([, unit = '', count]) => [unit, Number(count)]));
}

/**
 * Looks at the units once a second, as long as it is told, and prints for each a line of its state. Ends early where one of them is not what
 * it was at first.
 */
export function watchScript(set: ServiceSet, sudo: Sudo, seconds: number): string {
  const fields = ['ActiveState', 'SubState', 'Result', 'NRestarts'].map((name) => `-p ${name}`).join(' ');
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
states() {
  for u in ${unitsOf(set).map(quote).join(' ')}; do
    printf '%s ' "$u"; look show ${fields} "$u" | tr '\\n' ' '; echo
  done
}
first=$(states) now=$first left=${seconds}
while [ "$left" -gt 0 ] && [ "$now" = "$first" ]; do sleep 1; left=$((left-1)); now=$(states); done
printf '%s\\n' "$now"`;
}

/** What is wrong with the units of a set: those that are down, or were restarted since they were started. */
export function troubles(stdout: string, set: ServiceSet, before: RestartCounts): readonly UnitTrouble[] {
  const states = new Map(stdout.split('\n').map(readState));
  return set.units.flatMap((file) =>
    file.units.flatMap((unit) => troubleOf(unit, file, states.get(unit), before.get(unit) ?? 0) ?? []),
  );
}

function troubleOf(
  unit: string,
  file: UnitFile,
  state: ReadonlyMap<string, string> | undefined,
  before: number,
): UnitTrouble | undefined {
  const active = state?.get('ActiveState') ?? 'unknown';
  const result = state?.get('Result') ?? '?';
  const restarted = Number(state?.get('NRestarts') ?? 0) - before;
  if (restarted > 0 || state?.get('SubState') === 'auto-restart') {
    const times = Math.max(1, restarted);
    return { unit, kind: 'down', why: `was restarted ${times === 1 ? 'once' : `${String(times)} times`}` };
  }
  if (active === 'active' || active === 'reloading') return undefined;
  if (active === 'inactive' && file.mayEnd && result === 'success') return undefined;
  return {
    unit,
    kind: active === 'activating' ? 'starting' : 'down',
    why: `is ${active}${result === 'success' ? '' : ` (${result})`}`,
  };
}

/** Whether a service says itself when it is ready: once it has been started, it has proved itself. */
export function saysReady({ text }: Pick<UnitFile, 'text'>): boolean {
  return /^Type=notify(?:-reload)?$/m.test(text);
}

function unitsOf(set: ServiceSet): readonly string[] {
  return set.units.flatMap(({ units }) => units);
}

function readState(line: string): [string, ReadonlyMap<string, string>] {
  const [unit = '', ...fields] = line.trim().split(' ');
  return [
    unit,
    new Map(fields.map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)])),
  ];
}
