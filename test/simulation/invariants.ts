/** What must hold after every step of a simulation, and at the end of every run. Looks at folders only (look.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flawOf, FOREIGN, look, recordFlaw, revisionOf, rollbackGoal, walked, type Look } from './look.ts';

/** A promise that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Whose script ran. */
export interface Actor {
  readonly kind: 'run' | 'unlock' | 'look' | 'spare';
  /** Of a run. */
  readonly run: string | undefined;
  readonly action: string;
  /** The release that the user named, which may be a bad one. */
  readonly named: string | undefined;
}

/** How a run ended, as its last event says. */
export interface Ending {
  readonly run: string;
  readonly ok: boolean;
  readonly code: string | undefined;
  readonly release: string | null;
  readonly commit: string | null;
  readonly servers: readonly { readonly server: string; readonly state: string }[];
  /** Codes of the warnings it gave. */
  readonly warnings: ReadonlySet<string>;
}

export interface Place {
  readonly entry: string;
  readonly home: string;
  readonly site: string;
}

interface Known {
  readonly place: Place;
  last: Look;
  readonly outside: string;
  /** Who changed `current` last. */
  changer: string | undefined;
  /** What `current` was when a run was first seen to hold the lock. */
  readonly atLock: Map<string, string | null>;
}

export interface Watch {
  /** After a script of `actor` on one server. */
  step(entry: string, actor: Actor): void;
  /** After a run that lived to its end. */
  end(ending: Ending): void;
  look(entry: string): Look;
}

/** @param deadMan whether the stage wants a watcher beside everything that a run makes live. */
export function watch(places: readonly Place[], deadMan = false): Watch {
  const known = new Map<string, Known>(
    places.map((place) => [
      place.entry,
      { place, last: look(place.site), outside: outsideOf(place), changer: undefined, atLock: new Map() },
    ]),
  );
  const of = (entry: string): Known => {
    const found = known.get(entry);
    if (found === undefined) throw new Error(`There is no server ${entry}.`);
    return found;
  };
  return {
    look: (entry) => of(entry).last,
    step(entry, actor) {
      const server = of(entry);
      const before = server.last;
      const after = look(server.place.site);
      const fail = (what: string): never => {
        throw new Violation(`${entry}: ${what} (by ${actor.action} ${actor.run ?? ''})`);
      };
      server.last = after;
      if (after.holder !== null && !server.atLock.has(after.holder))
        server.atLock.set(after.holder, before.current);
      assertLive(server, before, after, actor, fail);
      assertLock(before, after, actor, fail);
      assertKept(known, server, before, after, fail);
      if (before.current !== after.current) {
        server.changer = actor.run;
        assertSwitch(server, before, after, actor, known, fail);
        if (deadMan) assertWatched(server, before, after, actor, fail);
      }
      const flaw = recordFlaw(server.place.site);
      if (flaw !== undefined) fail(flaw);
      if (outsideOf(server.place) !== server.outside)
        fail('something outside project_dir, or of its users, changed');
    },
    end(ending) {
      assertEnd(known, ending);
    },
  };
}

type Fail = (what: string) => never;

/** `current` is a whole release at every instant, and never gone once it was there; but a failed first deploy takes it away again. */
function assertLive({ place, atLock }: Known, before: Look, after: Look, actor: Actor, fail: Fail): void {
  if (after.current === null) {
    const first = [after.holder, actor.run].some((run) => atLock.get(run ?? '') === null);
    // Nor one that a run has taken up from a dead one, unconfirmed, where no release has ever been confirmed.
    const states = [...before.states.values()];
    const unconfirmed = states.includes('prepared') && !states.includes('finished');
    if (before.current !== null && !first && !unconfirmed) fail(`current is gone; it was ${before.current}`);
    return;
  }
  const flaw = flawOf(place.site, after.current);
  if (flaw !== undefined) fail(flaw);
}

/** Only the holder of the lock changes anything. */
function assertLock(before: Look, after: Look, actor: Actor, fail: Fail): void {
  const holds =
    actor.kind === 'run' &&
    actor.run !== undefined &&
    (before.holder === actor.run || after.holder === actor.run);
  if (before.holder !== after.holder && actor.kind === 'look')
    fail('somebody who only looks changed the lock');
  if (before.holder !== null && after.holder === null && actor.kind === 'run' && before.holder !== actor.run)
    fail(`removed the lock of ${before.holder}`);
  // An unlock holds it itself while it works.
  const may = after.holder === null || after.holder === actor.run || actor.kind === 'unlock';
  if (before.holder !== after.holder && !may) fail(`the lock went to ${after.holder}`);
  // A watcher that finds no lock takes it while it works.
  if (holds || (actor.action === 'dead man' && before.holder === null)) return;
  // Who takes a dead run's lock over clears its files away first, under a claim.
  const claims =
    before.holder !== null &&
    [before, after].some(({ paths }) => paths.has(`.durant/lock.taken-${before.holder ?? ''}`));
  const changed = changedPaths(before, after).filter(
    (path) => !isFree(path, actor) && !(claims && /^\.durant\/(?!releases|manifests|env)/.test(path)),
  );
  if (changed.length > 0) fail(`changed without the lock: ${changed.join(', ')}`);
}

/** What needs no lock: the lock's own files, the folders that hold everything, the log's line of an unlock. */
function isFree(path: string, actor: Actor): boolean {
  if (/^\.durant\/(lock|lock\..*|processes\..*|version)$/.test(path)) return true;
  if (/^(\.durant|releases|\.durant\/releases|\.durant\/manifests)$/.test(path)) return true;
  if (actor.kind === 'spare' && /^\.durant\/spare\./.test(path)) return true;
  if (/^\.durant\/(watch|reverting|reverted)\./.test(path) && path.endsWith(`.${actor.run}`)) return true;
  // A refused run is logged, too: its line is added in one write.
  if (path === '.durant/history.log' && actor.kind === 'run') return true;
  return actor.kind === 'unlock' && /^\.durant\/(history\.log|record\.tmp|line\..*)$/.test(path);
}

/** A release that a rollback may go to stays: where all servers shared one that is not live, they still do. */
function assertKept(
  known: ReadonlyMap<string, Known>,
  server: Known,
  before: Look,
  after: Look,
  fail: Fail,
): void {
  const removed = [...before.states.keys()].filter((name) => !after.states.has(name));
  if (removed.includes(FOREIGN)) fail(`removed releases/${FOREIGN}, which Durant did not make`);
  if (!removed.some((name) => before.states.get(name) === 'finished')) return;
  const others = [...known.values()].filter((each) => each !== server).map(({ last }) => last);
  const candidates = (own: Look): readonly string[] =>
    [...own.states.keys()].filter(
      (name) =>
        own.current !== `releases/${name}` &&
        [own, ...others].every(({ states }) => states.get(name) === 'finished'),
    );
  if (candidates(before).length > 0 && candidates(after).length === 0)
    fail(`removed ${removed.join(', ')}: there is nothing left to roll back to`);
}

/** Nothing is switched before all is prepared, and to nothing that failed or was left by a rollback. */
function assertSwitch(
  server: Known,
  before: Look,
  after: Look,
  actor: Actor,
  known: ReadonlyMap<string, Known>,
  fail: Fail,
): void {
  const name = after.current?.replace('releases/', '');
  if (name === undefined || actor.run === undefined) return;
  const back = server.atLock.get(actor.run) === after.current;
  const state = before.states.get(name);
  if ((state === 'failed' || state === 'bad') && !back && actor.named !== name)
    fail(`${name} went live, which is ${state}`);
  if (state === 'preparing' || state === undefined)
    fail(`${name} went live, which is ${state ?? 'unrecorded'}`);
  if (back) return;
  for (const other of known.values()) {
    if (other.last.holder !== actor.run) continue;
    const theirs = other.last.states.get(name);
    if (theirs === undefined || theirs === 'preparing')
      fail(`${name} went live, which ${other.place.entry} does not have complete`);
  }
}

/** What a run makes live for the first time, or a rollback again, has a watcher until it is confirmed. */
function assertWatched({ place, atLock }: Known, before: Look, after: Look, actor: Actor, fail: Fail): void {
  const { current, paths } = after;
  if (current === null || actor.run === undefined || atLock.get(actor.run) === current) return;
  const name = current.replace('releases/', '');
  const isNew = before.states.get(name) === 'prepared';
  const isMeant = paths.has('.durant/rollback') && rollbackGoal(place.site) === name;
  if ((isNew || isMeant) && !paths.has(`.durant/watch.${actor.run}`))
    fail(`${name} went live without a watcher`);
}

function assertEnd(known: ReadonlyMap<string, Known>, ending: Ending): void {
  const own = ending.servers.flatMap(({ server, state }) => {
    const found = known.get(server);
    return found === undefined ? [] : [{ ...found, state }];
  });
  const fail = (what: string): never => {
    throw new Violation(`${what} (at the end of ${ending.run}, ${ending.ok ? 'ok' : String(ending.code)})`);
  };
  if (ending.ok) {
    for (const { place, last, changer, state } of own) {
      if (changer !== undefined && changer !== ending.run && state === 'live') continue;
      if (state !== 'live' && state !== 'unchanged') fail(`${place.entry} is ${state} in a run that is ok`);
      // The same commit may be live under another name where servers were deployed to one by one.
      const same = ending.commit !== null && revisionOf(place.site, last.current ?? '') === ending.commit;
      if (ending.release === null || (state === 'unchanged' && same)) continue;
      if (last.current !== `releases/${ending.release}`)
        fail(`${place.entry} is said to have ${ending.release} live, and has ${String(last.current)}`);
      if (ending.commit !== null && revisionOf(place.site, last.current ?? '') !== ending.commit)
        fail(`${place.entry} has another commit live than is said`);
    }
    return;
  }
  const held = own.filter(({ atLock }) => atLock.has(ending.run));
  for (const { place, last } of held)
    if (
      last.holder === ending.run &&
      !ending.warnings.has('unlock-failed') &&
      !ending.warnings.has('undo-failed')
    )
      fail(`${place.entry} is left locked, and that is not said`);
  if (
    own.some(({ state }) => state === 'unknown') ||
    ending.code === 'lock-lost' ||
    ending.warnings.has('lock-lost')
  )
    return;
  const mine = held.filter(({ changer }) => changer === ending.run);
  const back = mine.every(({ last, atLock }) => atLock.get(ending.run) === last.current);
  const alike = new Set(own.map(({ last }) => last.current)).size === 1;
  if (!back && !alike)
    fail(
      `it failed, and servers are neither back nor alike: ${own.map(({ last }) => last.current).join(', ')}`,
    );
}

function changedPaths(before: Look, after: Look): readonly string[] {
  const all = new Set([...before.paths.keys(), ...after.paths.keys()]);
  return [...all].filter((path) => before.paths.get(path) !== after.paths.get(path));
}

/** All that is not Durant's: the login user's home, and what the site's users uploaded. */
function outsideOf({ home, site }: Place): string {
  const shared = [...walked(join(site, 'shared'))].map(([path, what]) => `${path} ${what.slice(0, 1)}`);
  const rest = readdirSync(home).filter((name) => name !== 'sick');
  const texts = [join(home, 'private'), join(site, 'shared/storage/upload')].map((file) =>
    readFileSync(file, 'utf8'),
  );
  return JSON.stringify([shared, rest.sort(), texts]);
}
