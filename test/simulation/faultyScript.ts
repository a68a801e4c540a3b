/**
 * What is put in front of a script that the engine sends: the server's own home and clock, and the fault that it meets. The fault is at
 * its N-th command that changes something or looks at the lock: these are shell functions here, so a script that meets none costs nothing.
 */
import { constants, closeSync, openSync, writeSync } from 'node:fs';
import { PAUSED } from './shells.ts';
import { quote } from '../../src/remote/shell.ts';

export type Fault =
  /** The process group dies at once, as when the server runs out of memory or reboots. */
  | 'die'
  /** The command does nothing and fails. */
  | 'fail'
  /** The command does its work and fails nevertheless. */
  | 'fail after'
  /** The script stops there until it is told to go on. */
  | 'pause';

export interface ScriptFault {
  readonly kind: Fault;
  /** Which command, from 1. */
  readonly at: number;
}

/** What a server looks like to a script. */
export interface ServerPlace {
  readonly home: string;
  /** Folder for the counters and pipes of its scripts, outside its home. */
  readonly control: string;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly now: number;
}

const COMMANDS = ['mv', 'ln', 'rm', 'cp', 'mkdir', 'chmod', 'rmdir', 'grep', 'sync'];

/**
 * A script as its server runs it. What it leaves in the background is noted before it goes on, so that a seed decides all.
 * @param number tells the scripts of a server apart.
 */
export function faultyScript(
  script: string,
  place: ServerPlace,
  number: number,
  fault?: ScriptFault,
): string {
  const waited = script.replaceAll(/^(.*\$(?:detach sh -c|run sh "\$S\/make").*) &$/gm, '$1');
  return `${prelude(place, number, fault)}\n${waited}`;
}

/** What comes before the text of a script: functions for the commands that a simulation decides about. */
export function prelude(place: ServerPlace, number: number, fault?: ScriptFault): string {
  const [counter, pipe] = [`${place.control}/${number}.count`, pipeOf(place, number)];
  const detached = quote(`${place.control}/${String(number).padStart(4, '0')}.detached`);
  const acts: Readonly<Record<Fault, string>> = {
    die: 'kill -KILL 0',
    fail: `command printf '%s\\n' "$1: No space left on device" >&2; return 1`,
    'fail after': 'command "$@"; return 1',
    pause: `command mkfifo ${quote(pipe)}; { echo ${quote(PAUSED)} >&9; read -r sim_go; } 8<>${quote(pipe)} <&8; command "$@"; return`,
  };
  // mv --help is a question: both ends of its pipeline would count at once.
  const functions =
    fault === undefined
      ? `sync() { :; }
mv() { if [ "$1" = --help ]; then echo ' -T'; else command mv "$@"; fi; }`
      : `echo 0 > ${quote(counter)}
sim_run() {
  if [ "$1 $2" = 'mv --help' ]; then echo ' -T'; return; fi
  read -r sim_n < ${quote(counter)}; sim_n=$((sim_n + 1)); echo $sim_n > ${quote(counter)}
  if [ $sim_n = ${fault.at} ]; then ${acts[fault.kind]}; fi
  [ "$1" = sync ] || command "$@"
}
${COMMANDS.map((name) => `${name}() { sim_run ${name} "$@"; }`).join('\n')}`;
  const seconds = Math.floor(place.now / 1000);
  // What a script that is killed leaves goes with the server.
  return `HOME=${quote(place.home)} TMPDIR=${quote(place.control)}; export HOME TMPDIR; cd "$HOME" || exit 1
date() { command date -d @${seconds} "$@"; }
id() { echo somebody; }
gzip() { cat; }
df() { echo head; echo "disk 1000000 1000 900000 1% /"; }
sleep() { case $1 in 0.*) command sleep "$@";; esac; }
nice() { shift 2; "$@"; }
setsid() { if [ "$2" = -c ]; then cat; else printf %s "$2"; fi > ${detached}; }
${functions}`;
}

function pipeOf(place: ServerPlace, number: number): string {
  return `${place.control}/${number}.pipe`;
}

/** Lets a paused script go on. @returns false where it has ended meanwhile. */
export function resume(place: ServerPlace, number: number): boolean {
  try {
    const pipe = openSync(pipeOf(place, number), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(pipe, 'go\n');
    closeSync(pipe);
    return true;
  } catch {
    return false;
  }
}
