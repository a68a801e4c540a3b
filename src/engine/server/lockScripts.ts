/**
 * The lock of a project: `.durant/lock`, complete from its first instant, naming its holder. Scripts here run on the server; they
 * compare whole lines only.
 */
import { parameters, positional } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import { formatLock, type LockRecord } from './record.ts';
import type { Settings } from '../../config/options/options.ts';
import { LAYOUTS } from './layout.ts';
import { stopWatcherFunction } from './watcherScript.ts';
import { LAYOUT_VERSION, lockIdentity, type ServerFacts } from './serverFacts.ts';

/** How an attempt to take the lock ended: the first line that `lockScript` or `takeOverScript` prints. */
export type LockAnswer = 'taken' | 'held';

/** What a script says where the server's `dd`, which reads scripts from their input, has read what comes behind them as well. */
export const READS_AHEAD = 'durant: dd reads ahead';

/** A record that is being written: only the lock's holder writes one, and it is removed with the lock. */
export const unfinishedRecord = '.durant/record.tmp';

/**
 * Makes project_dir and `.durant` where they are missing, then takes the lock if nobody has it. The lock's text is the script's input.
 * Prints `taken` or `held`; the caller appends the facts script to learn what is true under the lock. What `ln` says is not the last word:
 * over NFS it may have made the link whose answer was lost.
 */
export function lockScript(projectDir: string, run: string, strategy: Settings['strategy']): string {
  return [enterProject(projectDir, strategy), takeLock(run), lockFunctions, lock].join('');
}

const lockFunctions = shellFile(import.meta.url, './lockFunctions.sh');
const noteProcesses = shellFile(import.meta.url, './noteProcesses.sh');
const textOfLock = shellFile(import.meta.url, './takeLock.sh');
const lock = shellFile(import.meta.url, './lock.sh');
const endGroups = shellFile(import.meta.url, './endGroups.sh');
const replaceLock = shellFile(import.meta.url, './replaceLock.sh');
const unlock = shellFile(import.meta.url, './unlock.sh');
const endOwn = shellFile(import.meta.url, './endOwn.sh');
const project = shellFile(import.meta.url, './enterProject.sh');

/** sh text that a script of a run begins with which asks `lock_is_ours` or says `note_processes`. */
export const guardFunctions = lockFunctions + noteProcesses;

/** Writes the lock's text, the script's input, to `$t`. */
function takeLock(run: string): string {
  return parameters({ run, reads_ahead: READS_AHEAD }) + textOfLock;
}

/** A lock that is to be replaced, as it was seen. */
export interface SeenLock {
  /** What `lockIdentity` printed of it. */
  readonly id: string;
  /** The run that it names, then those that began to take it over and died, each from the one before; '' for a name that is none. */
  readonly claims: readonly [string, ...string[]];
}

/** The lock that a look at the server found, with the chain of those that began to take it over; undefined for none. */
export function seenLock({
  lock,
  lockId,
  takers,
}: Pick<ServerFacts, 'lock' | 'lockId' | 'takers'>): SeenLock | undefined {
  if (lock === null) return undefined;
  const claims: [string, ...string[]] = [lock.run];
  for (let last = lock.run; ;) {
    const taker = takers.get(claimName(last));
    if (taker === undefined || claims.includes(taker)) return { id: lockId, claims };
    claims.push(taker);
    last = taker;
  }
}

/**
 * Replaces a lock whose run is over by this run's, and ends what that run left running. Input and output as `lockScript`.
 *
 * The right to do so is `lock.taken-<run>`, named after the run that is replaced: a second name of this run's whole lock, so there is one
 * winner. Moved onto `lock` it is the new lock, and gone under its own name, in one step. Whoever dies before that step leaves a claim that
 * the next run takes over in the same way, from the last of the chain.
 */
export function takeOverScript(
  projectDir: string,
  run: string,
  seen: SeenLock,
  strategy: Settings['strategy'],
): string {
  const dead = seen.claims.filter((each) => each !== '').map(claimName);
  return replaceLockScript(projectDir, run, seen, strategy, dead);
}

function replaceLockScript(
  projectDir: string,
  run: string,
  { id, claims }: SeenLock,
  strategy: Settings['strategy'],
  /** The runs whose watchers are ended and whose leftovers are removed; undefined: all of that stays. */
  dead: readonly string[] | undefined,
): string {
  return [
    enterProject(projectDir, strategy),
    takeLock(run),
    guardFunctions,
    lockIdentity,
    endGroups,
    stopWatcherFunction,
    parameters({ id, claim: claimName(claims.at(-1) ?? ''), clear: dead === undefined ? '' : 'yes' }),
    positional(dead ?? []),
    replaceLock,
  ].join('');
}

/** Makes project_dir and Durant's folders in it, for hooks that come before the lock, and prints its path. */
export function prepareScript(projectDir: string, strategy: Settings['strategy']): string {
  return `${enterProject(projectDir, strategy)}pwd -P`;
}

/** Gives the lock back, if it is still this run's; the working directory is project_dir. The lock itself goes last. */
export function unlockScript(run: string): string {
  return parameters({ run }) + lockFunctions + unlock;
}

/**
 * Removes whoever's lock it is, after ending what its run left running: replaces it, does `then` (in project_dir), and gives it back. A
 * watcher of that run stays (watcherScript.ts).
 * Prints `unlocked`, or `held` where the lock is another by now. Input as `lockScript`.
 */
export function breakLockScript(
  projectDir: string,
  run: string,
  seen: SeenLock,
  strategy: Settings['strategy'],
  then: string,
): string {
  return `( ${replaceLockScript(projectDir, run, seen, strategy, undefined)} ) >/dev/null || exit 1
${parameters({ run }, { project: projectDir })}${lockFunctions}cd "$project" || exit 1
if lock_is_ours; then
  ${then}
  ${unlock}
  echo unlocked
else echo held; fi`;
}

export function lockInput(lock: LockRecord): Buffer {
  return Buffer.from(formatLock(lock));
}

/** Where project_dir is writable and its folders are there. */
function enterProject(projectDir: string, strategy: Settings['strategy']): string {
  return LAYOUTS[strategy].setUp + parameters({ layout: LAYOUT_VERSION }, { project: projectDir }) + project;
}

/**
 * Ends what this run left running on a server when its line was cut, but for the script itself; the working directory is project_dir. What
 * begins there later finds that its line is a lost one (guard.sh), and does nothing.
 * @param lostLines how many lines the run has lost by now.
 */
export function endOwnScript(run: string, lostLines: number): string {
  return parameters({ run, lost_lines: lostLines }) + lockFunctions + endGroups + endOwn;
}

/** What a claim is named after: a run, as far as it is a run's name. */
function claimName(run: string): string {
  return /^[A-Za-z0-9-]+$/.test(run) ? run : 'unknown';
}
