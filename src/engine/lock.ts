/**
 * The lock of a project: `.durant/lock`, complete from its first instant, naming its holder. Scripts here run on the server; they
 * compare whole lines only.
 */
import { quote, quotePath } from '../remote/shell.ts';
import { formatLock, recordLine, type LockRecord } from './record.ts';
import type { Settings } from '../config/options.ts';
import { stopWatcher } from './watcher.ts';
import { LAYOUT_VERSION } from './facts.ts';

/** How an attempt to take the lock ended: the first line that `lockScript` or `takeOverScript` prints. */
export type LockAnswer = 'taken' | 'held';

/** A record that is being written: only the lock's holder writes one, and it is removed with the lock. */
export const unfinishedRecord = '.durant/record.tmp';

/**
 * Makes project_dir and `.durant` where they are missing, then takes the lock if nobody has it. The lock's text is the script's input.
 * Prints `taken` or `held`; the caller appends the facts script to learn what is true under the lock.
 */
export function lockScript(projectDir: string, run: string, strategy: Settings['strategy']): string {
  return `${enterProject(projectDir, strategy)}
t=.durant/lock.${run}
cat > "$t" || exit 1
if [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null; then echo taken
elif [ -e .durant/lock ]; then echo held
elif [ -s "$t" ] && (set -C; cat "$t" > .durant/lock) 2>/dev/null; then echo taken
else echo held; fi
rm -f "$t"
cd /`;
}

/**
 * Takes the lock over from a run of ours that is dead: ends its remote processes first. Input and output as `lockScript`.
 * @param dead the run that the lock names, then those that died while they took it over, each from the one before.
 */
export function takeOverScript(
  projectDir: string,
  run: string,
  dead: readonly [string, ...string[]],
  strategy: Settings['strategy'],
): string {
  const holder = `grep -qxF ${quote(recordLine('run', dead[0]))} .durant/lock 2>/dev/null`;
  const claim = `.durant/lock.taken-${dead.at(-1) ?? dead[0]}`;
  return `${enterProject(projectDir, strategy)}
t=.durant/lock.${run}
cat > "$t" || exit 1
if ${holder} && (set -C; echo ${run} > ${claim}) 2>/dev/null; then
  ${[...dead.map(stopWatcher), ...dead.map(endProcesses)].join('\n  ')}
  rm -rf ${dead.map((each) => `.durant/*.${each}`).join(' ')} .durant/trash.*
  if ${holder} && mv -f "$t" .durant/lock; then echo taken; else echo held; fi
  rm -f ${dead.map((each) => `.durant/lock.taken-${each}`).join(' ')}
elif [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null; then echo taken
else echo held; fi
rm -f "$t"
cd /`;
}

/** True in the shell (`if …`) while the lock names the run; the working directory is project_dir. */
export function lockIsOurs(run: string): string {
  return `grep -qxF ${quote(recordLine('run', run))} .durant/lock 2>/dev/null`;
}

/** Makes project_dir and Durant's folders in it, for hooks that come before the lock, and prints its path. */
export function prepareScript(projectDir: string, strategy: Settings['strategy']): string {
  return `${enterProject(projectDir, strategy)}
pwd -P`;
}

/** Gives the lock back, if it is still this run's; the working directory is project_dir. */
export function unlockScript(run: string): string {
  return `if ${lockIsOurs(run)}; then rm -f .durant/processes.* ${unfinishedRecord} .durant/lock; fi; rm -f .durant/lock.${run} .durant/processes.${run}`;
}

/**
 * Removes whoever's lock it is, after ending what its run left running. `holder` guards against a lock that changed hands; it is empty
 * for a lock that does not say who holds it.
 */
export function breakLockScript(projectDir: string, holder: string): string {
  const run = safeRun(holder);
  const unchanged =
    holder === ''
      ? `[ -e .durant/lock ] && ! grep -q '^run *=' .durant/lock 2>/dev/null`
      : `grep -qxF ${quote(recordLine('run', holder))} .durant/lock 2>/dev/null`;
  return `cd ${quotePath(projectDir)} || exit 1
if ${unchanged}; then
  ${run === undefined ? '' : endProcesses(run)}
  rm -rf .durant/lock .durant/lock.taken-* ${unfinishedRecord} && echo unlocked
else echo changed; fi`;
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

/** With strategy inplace `.durant` may lie in a web root: Apache is told to show nothing of it. `live` names what was put last. */
const hideFromWeb = `[ -f .durant/live ] || : > .durant/live || exit 1
[ -f .durant/.htaccess ] || printf '%s\\n' '<IfModule mod_authz_core.c>' 'Require all denied' '</IfModule>' '<IfModule !mod_authz_core.c>' 'Order deny,allow' 'Deny from all' '</IfModule>' > .durant/.htaccess || exit 1
`;

/** Where project_dir is writable and its folders are there; modes as the server's umask wants, `.durant` closed to others. */
function enterProject(projectDir: string, strategy: Settings['strategy']): string {
  const folders = `${strategy === 'inplace' ? '' : 'releases '}.durant/releases .durant/manifests`;
  return `LC_ALL=C; export LC_ALL
mkdir -p ${quotePath(projectDir)} && cd ${quotePath(projectDir)} || exit 1
if ! [ -d .durant ]; then mkdir .durant && chmod g-w,o-rwx .durant || exit 1; fi
mkdir -p ${folders} || exit 1
${strategy === 'inplace' ? hideFromWeb : ''}[ -f .durant/version ] || echo ${LAYOUT_VERSION} > .durant/version || exit 1`;
}

/**
 * Ends the process groups that a run noted: asked first, killed after three seconds. A reused process id is left alone; a zombie has
 * ended, however long its init takes.
 */
function endProcesses(run: string): string {
  return `if [ -f .durant/processes.${run} ]; then
    group_lives() {
      kill -0 "-$1" 2>/dev/null || return 1
      [ -r /proc/$$/stat ] || return 0
      cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^.*) //' | awk -v g="$1" '$3 == g && $1 !~ /^[ZX]/ { found = 1 } END { exit !found }'
    }
    l=
    while read -r g s; do
      case $g in ''|0|1|*[!0-9]*) continue;; esac
      if [ "$s" != - ] && [ -r "/proc/$g/stat" ]; then set -- $(cat "/proc/$g/stat"); [ "\${22}" = "$s" ] || continue; fi
      kill -TERM "-$g" 2>/dev/null && l="$l $g"
    done < .durant/processes.${run}
    i=0
    for g in $l; do
      while group_lives "$g"; do
        i=$((i + 1)); if [ $i -gt 15 ]; then kill -KILL "-$g" 2>/dev/null; break; fi; sleep 0.2 2>/dev/null || sleep 1
      done
    done
    rm -f .durant/processes.${run}
  fi`;
}

function safeRun(run: string): string | undefined {
  return /^[A-Za-z0-9-]+$/.test(run) ? run : undefined;
}
