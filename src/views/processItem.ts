/** A process on a server, and each of its units where it has several, as items of the tree. Pure. */
import { formatAge, formatBytes, type Translate } from '../format.ts';
import type { ProcessState } from '../engine/index.ts';
import { failed, noteOf, warned, type Icon, type Item, type View } from './item.ts';
import type { ProcessActivity, ServerProcesses, StageSnapshot } from './store.ts';

export interface ProcessPlace {
  readonly server: string;
  readonly process: string;
}

type Standing =
  | 'running'
  /** Some of its units are, some are not. */
  | 'partly'
  /** Its socket or timer is there to start it. */
  | 'waiting'
  | 'changing'
  | 'failed'
  | 'stopped'
  | 'unknown';

export function processesOf(
  { processes }: Pick<StageSnapshot, 'processes'>,
  server: string,
): ServerProcesses | undefined {
  return processes?.servers.find((each) => each.server === server);
}

/** The units of a process, what runs before what starts it. */
export function unitsOf(
  snapshot: Pick<StageSnapshot, 'processes'>,
  { server, process }: ProcessPlace,
): readonly ProcessState[] {
  const units = (processesOf(snapshot, server)?.processes ?? []).filter((unit) => unit.process === process);
  return [...units.filter(isService), ...units.filter((unit) => !isService(unit))];
}

/** Names of the processes on a server that have failed. */
export function failedProcesses(snapshot: StageSnapshot, server: string): readonly string[] {
  if (snapshot.entry.processes.length === 0) return [];
  const units = processesOf(snapshot, server)?.processes ?? [];
  const fallen = units.filter(({ state }) => state === 'failed' || state === 'restarting');
  return [...new Set(fallen.map(({ process }) => process))];
}

export function processItem(id: string, snapshot: StageSnapshot, place: ProcessPlace, view: View): Item {
  const { t } = view;
  const units = unitsOf(snapshot, place);
  const activity = snapshot.activity(place.server, place.process);
  const standing = standingOf(units);
  return {
    id,
    label: place.process,
    description: [
      activity.control === undefined ? summaryOf(units, view) : controlWord(activity.control, t),
      ...(activity.followsLogs ? [t('following logs')] : []),
    ].join(' · '),
    tooltip: [
      [t('Process'), place.process],
      [t('Server'), place.server],
      ...units.map((unit) => [unit.unit, factsOf(unit, view).join(', ')] as const),
    ],
    icon: activity.control === undefined ? iconOf(standing, units) : { codicon: 'loading~spin' },
    expands: units.length > 1 ? 'closed' : 'no',
    context: wordsOf(units, standing, activity).join(' '),
  };
}

export function unitItem(
  id: string,
  snapshot: StageSnapshot,
  place: ProcessPlace & { readonly unit: string },
  view: View,
): Item {
  const unit = unitsOf(snapshot, place).find((each) => each.unit === place.unit);
  if (unit === undefined) return noteOf(id, place.unit, 'circle-slash');
  return {
    id,
    label: unit.unit,
    description: summaryOf([unit], view),
    tooltip: [[unit.unit, factsOf(unit, view).join(', ')]],
    icon: iconOf(standingOf([unit]), [unit]),
    expands: 'no',
    context: 'unit',
  };
}

function isService({ unit }: ProcessState): boolean {
  return unit.endsWith('.service');
}

/** A process is up as far as its services are; where none is, its socket or timer may start it. */
function standingOf(units: readonly ProcessState[]): Standing {
  const has = (...states: readonly string[]): boolean => units.some(({ active }) => states.includes(active));
  if (has('failed') || units.some(({ state }) => state === 'restarting')) return 'failed';
  if (has('activating', 'deactivating', 'reloading', 'refreshing')) return 'changing';
  const services = units.filter(isService);
  const up = services.filter(({ active }) => active === 'active').length;
  if (up > 0) return up === services.length ? 'running' : 'partly';
  if (has('active')) return 'waiting';
  return has('inactive') ? 'stopped' : 'unknown';
}

function iconOf(standing: Standing, units: readonly ProcessState[]): Icon {
  switch (standing) {
    case 'running':
      return { codicon: 'circle-filled', color: 'testing.iconPassed' };
    case 'waiting':
      return {
        codicon: units.some(({ unit }) => unit.endsWith('.timer')) ? 'watch' : 'circle-outline',
        color: 'testing.iconPassed',
      };
    case 'partly':
      return warned;
    case 'changing':
      return { codicon: 'loading~spin' };
    case 'failed':
      return failed;
    case 'stopped':
      return { codicon: 'circle-slash', color: 'disabledForeground' };
    case 'unknown':
      return { codicon: 'question' };
  }
}

/** Words for menus: what there is to start, to stop and to restart, and whether its logs are followed here. */
function wordsOf(
  units: readonly ProcessState[],
  standing: Standing,
  { control, followsLogs }: ProcessActivity,
): readonly string[] {
  const words = ['process', standing];
  if (control === undefined) {
    if (units.some(({ active }) => active !== 'active')) words.push('startable');
    if (units.some(({ active }) => active !== 'inactive' && active !== 'failed')) words.push('stoppable');
    if (units.some((unit) => isService(unit) && unit.active === 'active')) words.push('restartable');
  }
  words.push(followsLogs ? 'followed' : 'unfollowed');
  return words;
}

/** In one line: how it is, since when, and what it takes. */
function summaryOf(units: readonly ProcessState[], { now, t }: View): string {
  const services = units.filter(isService);
  const [main = units[0]] = services;
  if (main === undefined) return t('not known any more');
  const up = services.filter(({ active }) => active === 'active').length;
  const memory = units.reduce((sum, unit) => sum + (unit.memory_bytes ?? 0), 0);
  const restarts = units.reduce((sum, unit) => sum + unit.restarts, 0);
  const several = services.length > 1;
  const waiting =
    standingOf(units) === 'waiting' ? units.find(({ active }) => active === 'active') : undefined;
  return [
    several ? t('{0} of {1} running', up, services.length) : wordOf(waiting ?? main),
    ...(several || main.since === null ? [] : [t('started {0}', formatAge(main.since, now, t))]),
    ...(several || main.pid === null ? [] : [t('pid {0}', String(main.pid))]),
    ...(memory === 0 ? [] : [formatBytes(memory)]),
    ...restartsText(restarts, t),
  ].join(' · ');
}

/** Everything that is known of one unit. */
function factsOf(unit: ProcessState, { t }: View): readonly string[] {
  const { active, sub, since, pid, memory_bytes: memory, restarts } = unit;
  return [
    sub === '' ? active : `${active} (${sub})`,
    ...(since === null ? [] : [t('since {0}', since.replace('T', ' ').replace('.000Z', ' UTC'))]),
    ...(pid === null ? [] : [t('pid {0}', String(pid))]),
    ...(memory === null ? [] : [formatBytes(memory)]),
    ...restartsText(restarts, t),
  ];
}

/** systemd's own words, as its users know them; the state where it says more than the word below it. */
function wordOf({ state, active, sub }: ProcessState): string {
  if (state === 'restarting') return state;
  return active === 'failed' || sub === '' ? active : sub;
}

function restartsText(restarts: number, t: Translate): readonly string[] {
  if (restarts === 0) return [];
  return [restarts === 1 ? t('1 restart') : t('{0} restarts', restarts)];
}

function controlWord(control: NonNullable<ProcessActivity['control']>, t: Translate): string {
  switch (control) {
    case 'start':
      return t('starting…');
    case 'stop':
      return t('stopping…');
    case 'restart':
      return t('restarting…');
  }
}
