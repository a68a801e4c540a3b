/**
 * Starts scripts as sshd would, each `sh` the leader of a process group of its own, but cheaply: by a shell that is there already. Node's
 * own spawn costs several times what a small script does.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script under way. */
export interface Running {
  /** Settles when it stops half way (it says so itself, on descriptor 9) or has ended. */
  readonly pauseOrEnd: Promise<'paused' | 'ended'>;
  readonly ended: Promise<{ readonly status: number; readonly stdout: Buffer; readonly stderr: Buffer }>;
  /** Ends its process group. */
  end(): void;
}

/**
 * busybox has its commands inside, so it costs a fourth of dash with the commands of coreutils. Servers have either, and their commands
 * differ in what they accept.
 */
export type Sh = 'busybox sh' | 'dash';

export interface Shells {
  /** @param sh which shell runs it. */
  run(script: string, input: Buffer, sh: Sh): Running;
  close(): void;
}

interface Worker {
  readonly process: ChildProcessWithoutNullStreams;
  listener: (word: string, value: string) => void;
}

/** Only bash gives its jobs process groups where there is no terminal. It waits for one script at a time. */
const LOOP = `exec 9>&1; set -m
while read -r f sh; do $sh "$f.sh" <"$f.in" >"$f.out" 2>"$f.err" & echo "begun $!"; wait $!; echo "ended $?"; done 2>/dev/null`;

/** What a script says on descriptor 9 when it stops half way. */
export const PAUSED = 'paused -';

/** @param folder for the scripts and their output; made here. */
export function openShells(folder: string): Shells {
  const idle: Worker[] = [];
  const all: Worker[] = [];
  let number = 0;
  mkdirSync(folder, { recursive: true });
  const make = (): Worker => {
    const process = spawn('bash', ['-c', LOOP], { cwd: '/', detached: true });
    const worker: Worker = { process, listener: () => undefined };
    let rest = '';
    process.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) worker.listener(...pair(line));
    });
    all.push(worker);
    return worker;
  };
  return {
    run(script, input, sh) {
      const base = join(folder, String((number += 1)));
      writeFileSync(`${base}.sh`, script);
      writeFileSync(`${base}.in`, input);
      const worker = idle.pop() ?? make();
      let group: number | undefined;
      let paused: () => void = () => undefined;
      const stops = new Promise<'paused'>((resolve) => {
        paused = () => resolve('paused');
      });
      const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
        worker.listener = (word, value) => {
          if (word === 'begun') group = Number(value);
          else if (word === 'paused') paused();
          else {
            // Its number may be another's from now on.
            group = undefined;
            const [stdout, stderr] = [readFileSync(`${base}.out`), readFileSync(`${base}.err`)];
            for (const end of ['sh', 'in', 'out', 'err']) rmSync(`${base}.${end}`);
            idle.push(worker);
            resolve({ status: Number(value), stdout, stderr });
          }
        };
      });
      worker.process.stdin.write(`${base} ${sh}\n`);
      return {
        ended,
        pauseOrEnd: Promise.race([stops, ended.then(() => 'ended' as const)]),
        end: () => {
          if (group === undefined) return;
          try {
            process.kill(-group, 'SIGTERM');
          } catch {
            // It has ended meanwhile.
          }
        },
      };
    },
    close() {
      for (const { process } of all) process.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pair(line: string): [string, string] {
  const [word = '', value = ''] = line.split(' ');
  return [word, value];
}
