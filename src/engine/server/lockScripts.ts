/**
 * The lock of a project: `.durant/lock`, complete from its first instant, naming its holder. Scripts here run on the server; they
 * compare whole lines only.
 */
import { quote, quotePath } from '../../remote/shell.ts';
import { formatLock, recordLine, type LockRecord } from './record.ts';
import type { Settings } from '../../config/options/options.ts';
import { LAYOUTS } from './layout.ts';
import { stopWatcher } from './watcherScript.ts';
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
  return `trap '' PIPE
${enterProject(projectDir, strategy)}
t=.durant/lock.${run}
${takeLock}
if [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null || ${lockIsOurs(run)}; then echo taken
elif [ -e .durant/lock ]; then echo held
elif [ -s "$t" ] && (set -C; cat "$t" > .durant/lock) 2>/dev/null; then echo taken
else echo held; fi
rm -f "$t"
cd /`;
}

/**
 * Writes the lock's text to `$t`. It comes behind the script, so an early reader would have swallowed it. Where the file is gone again,
 * whoever took the lock meanwhile has removed it: the lock is held.
 */
const takeLock = `cat > "$t" || exit 1
[ -s "$t" ] || ! [ -e "$t" ] || { rm -f "$t"; echo ${quote(READS_AHEAD)} >&2; exit 1; }`;

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
  const names = seen.claims.filter((each) => each !== '').map(claimName);
  return replaceLockScript(projectDir, run, seen, strategy, {
    first: names.map(stopWatcher).join('\n    '),
    leftovers: [...leftovers, ...names.map((each) => `.durant/*.${each}`)],
  });
}

function replaceLockScript(
  projectDir: string,
  run: string,
  { id, claims }: SeenLock,
  strategy: Settings['strategy'],
  /** What is done under the claim before anything is ended, and what is removed under the lock. */
  work: { readonly first: string; readonly leftovers: readonly string[] },
): string {
  const claim = `.durant/lock.taken-${claimName(claims.at(-1) ?? '')}`;
  const same = `[ "$(lock_id)" = ${quote(id)} ]`;
  return `trap '' PIPE
${enterProject(projectDir, strategy)}
t=.durant/lock.${run}
${takeLock}
${lockIdentity}
${endOthers(run)}
take_over() {
  ${same} && { ln "$t" ${claim} || ${namesRun(claim, run)} || { [ -s "$t" ] && ! [ -e ${claim} ] && (set -C; : > ${claim}) && { cat "$t" > ${claim} || { rm -f ${claim}; false; }; }; }; } 2>/dev/null || return 1
  if ${same}; then
    ${noteProcesses(run)}
    ${work.first}
    end_others
    if ${same} && { ! [ -d .durant/lock ] || rm -rf .durant/lock; } && mv -f ${claim} .durant/lock; then return 0; fi
  fi
  rm -f ${claim} .durant/processes.${run}; return 1
}
if take_over || ${lockIsOurs(run)}; then
  end_others
  rm -rf .durant/lock.* ${work.leftovers.join(' ')} 2>/dev/null
  echo taken
elif [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null || ${lockIsOurs(run)}; then echo taken
else echo held; fi
rm -f "$t"
cd /`;
}

/**
 * True in the shell (`if …`) while the lock names the run; the working directory is project_dir. Read by the shell itself: no tool that
 * fails is taken for a lock that is lost.
 */
export function lockIsOurs(run: string): string {
  return namesRun('.durant/lock', run);
}

function namesRun(lock: string, run: string): string {
  return `( while read -r line; do [ "$line" != ${quote(recordLine('run', run))} ] || exit 0; done < ${lock}; exit 1 ) 2>/dev/null`;
}

/** Makes project_dir and Durant's folders in it, for hooks that come before the lock, and prints its path. */
export function prepareScript(projectDir: string, strategy: Settings['strategy']): string {
  return `${enterProject(projectDir, strategy)}
pwd -P`;
}

/** Gives the lock back, if it is still this run's; the working directory is project_dir. The lock itself goes last. */
export function unlockScript(run: string): string {
  return `if ${lockIsOurs(run)}; then rm -f .durant/processes.* .durant/line.* .durant/lock.taken-* ${unfinishedRecord} .durant/lock.${run} .durant/lock; else rm -f .durant/lock.${run} .durant/processes.${run}; fi`;
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
  return `( ${replaceLockScript(projectDir, run, seen, strategy, { first: '', leftovers: [unfinishedRecord] })} ) >/dev/null || exit 1
cd ${quotePath(projectDir)} || exit 1
if ${lockIsOurs(run)}; then
  ${then}
  ${unlockScript(run)}
  echo unlocked
else echo held; fi`;
}

/**
 * Notes the process group of the running script under the run's name, so that whoever takes the run's lock over can end it; the working
 * directory is project_dir.
 */
export function noteProcesses(run: string): string {
  return `if [ -r /proc/$$/stat ]; then set -- $(cat /proc/$$/stat); echo "$5 \${22}"; else echo "$(ps -o pgid= -p $$ | tr -d ' ') -"; fi >> .durant/processes.${run}; set --`;
}

export function lockInput(lock: LockRecord): Buffer {
  return Buffer.from(formatLock(lock));
}

/** Where project_dir is writable and its folders are there; modes as the server's umask wants, `.durant` closed to others. */
function enterProject(projectDir: string, strategy: Settings['strategy']): string {
  return `LC_ALL=C; export LC_ALL
mkdir -p ${quotePath(projectDir)} && cd ${quotePath(projectDir)} || exit 1
if ! [ -d .durant ]; then mkdir .durant && chmod g-w,o-rwx .durant || exit 1; fi
${LAYOUTS[strategy].setUp}[ -f .durant/version ] || echo ${LAYOUT_VERSION} > .durant/version || exit 1`;
}

/** What a dead run may have left in `.durant` that is of no use to anybody. */
const leftovers = ['line', 'incoming', 'current', 'copy', 'touched', 'services', 'trash']
  .map((name) => `.durant/${name}.*`)
  .concat(unfinishedRecord);

/** Defines `end_others`: ends the process groups that all other runs noted, as none of them holds the lock. */
function endOthers(run: string): string {
  return `${endGroups}
end_others() {
  for f in .durant/processes.*; do
    [ -f "$f" ] && [ "$f" != .durant/processes.${run} ] || continue
    end_groups "$f"; rm -f "$f"
  done
}`;
}

/**
 * Ends what this run left running on a server when its line was cut, but for the script itself; the working directory is project_dir. What
 * begins there later finds that its line is a lost one (`lineIsOpen`), and does nothing.
 * @param lostLines how many lines the run has lost by now.
 */
export function endOwnScript(run: string, lostLines: number): string {
  return `${endGroups}
if ${lockIsOurs(run)}; then
  echo ${lostLines} > .durant/line.${run}
  [ ! -f .durant/processes.${run} ] || end_groups .durant/processes.${run}
fi`;
}

/** True in the shell where the run has not given up the line that this was sent over; the working directory is project_dir. */
export function lineIsOpen(run: string, lostLines: number): string {
  return `{ line=0; [ ! -f .durant/line.${run} ] || read -r line < .durant/line.${run}; [ "$line" -le ${lostLines} ]; }`;
}

/**
 * Defines `end_groups FILE`: ends the process groups that a run noted there: asked first, killed after three seconds. A reused process id is
 * left alone; a zombie has ended, however long its init takes.
 */
const endGroups = `group_lives() {
  kill -0 "-$1" 2>/dev/null || return 1
  [ -r /proc/$$/stat ] || return 0
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^.*) //' | awk -v g="$1" '$3 == g && $1 !~ /^[ZX]/ { found = 1 } END { exit !found }'
}
end_groups() {
  f=$1 l=
  if [ -r /proc/$$/stat ]; then set -- $(cat /proc/$$/stat); own=$5; else own=$(ps -o pgid= -p $$ | tr -d ' '); fi
  while read -r g s; do
    case $g in ''|0|1|*[!0-9]*|"$own") continue;; esac
    if [ "$s" != - ] && [ -r "/proc/$g/stat" ]; then set -- $(cat "/proc/$g/stat"); [ "\${22}" = "$s" ] || continue; fi
    kill -TERM "-$g" 2>/dev/null && l="$l $g"
  done < "$f"
  i=0
  for g in $l; do
    while group_lives "$g"; do
      i=$((i + 1)); if [ $i -gt 15 ]; then kill -KILL "-$g" 2>/dev/null; break; fi; sleep 0.2 2>/dev/null || sleep 1
    done
  done
}`;

/** What a claim is named after: a run, as far as it is a run's name. */
function claimName(run: string): string {
  return /^[A-Za-z0-9-]+$/.test(run) ? run : 'unknown';
}
