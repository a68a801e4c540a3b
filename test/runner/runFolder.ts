/** The one folder that everything of a run is below: in memory where there is room, as hundreds of repositories and servers are made in it. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
/** A run of all tests takes less than half of it. */
const roomBytes = 4 * 1024 ** 3;
const prefix = 'durant-run-';
/** Holds the process id of whom the folder belongs to. */
const ownerFile = 'owner';

/** Makes a folder that other accounts may enter, too, after removing those of processes that were killed. The caller removes it. */
export function makeRunFolder(): string {
  const parent = process.env['TMPDIR'] === undefined && hasRoom(memory) ? memory : realpathSync(tmpdir());
  removeOrphans(parent);
  const directory = mkdtempSync(join(parent, prefix));
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, ownerFile), String(process.pid));
  return directory;
}

/** Removes it, and what is still mounted below it. */
export function removeRunFolder(directory: string): void {
  for (const path of mountsBelow(directory).toReversed()) execFileSync('umount', ['-l', path]);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Where something is mounted below a folder, in the order of mounting. Linux only; elsewhere nothing is found. */
export function mountsBelow(directory: string): readonly string[] {
  if (!existsSync('/proc/self/mountinfo')) return [];
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`));
}

function removeOrphans(parent: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(prefix))) {
    try {
      const owner = readFileSync(join(parent, name, ownerFile), 'utf8');
      if (owner !== '' && !isRunning(Number(owner))) removeRunFolder(join(parent, name));
    } catch {
      // Of somebody else, or just being made or removed.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a folder is large enough and programs in it may be run. */
function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < roomBytes) return false;
    const trial = mkdtempSync(join(folder, prefix));
    try {
      writeFileSync(join(trial, 'run'), '#!/bin/sh\n', { mode: 0o755 });
      execFileSync(join(trial, 'run'));
      return true;
    } finally {
      rmSync(trial, { recursive: true });
    }
  } catch {
    return false;
  }
}
