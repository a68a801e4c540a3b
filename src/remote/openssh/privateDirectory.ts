/** A folder for the sockets of one connection: only the user may enter it, and its name is short enough for sockets. */
import { existsSync, rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platform } from '../../platform.ts';
import { DurantError } from '../../errors.ts';

/** `sun_path` of the strictest systems, its NUL included. */
const socketPathBytes = 104;
/** `/durant-PID-XXXXXX` (a process id of 7 digits), `/c`, and the suffix that ssh gives a control socket while it makes it (`.` and 16 letters). */
const ownBytes = 22 + 2 + 17 + 1;

/**
 * Makes the folder (0700), after removing those that processes left which were killed.
 * @throws {DurantError} `internal` where no folder for temporary files can take it.
 */
export async function makePrivateDirectory(): Promise<string> {
  const short = [tmpdir(), '/tmp'].find(
    (folder) => !platform.socketsAreFiles || Buffer.byteLength(folder) + ownBytes <= socketPathBytes,
  );
  if (short === undefined)
    throw new DurantError('internal', 'The folder for temporary files has too long a name.', {
      remedy: 'Set TMPDIR to a shorter one.',
    });
  await removeLeftBehind(short);
  return mkdtemp(join(short, `durant-${String(process.pid)}-`));
}

/** Removes it with all that is in it. */
export function removePrivateDirectory(directory: string): void {
  // Node's `rmSync` ends half way, and does not say so, where ssh removes its socket meanwhile.
  while (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
}

/** Removes this user's folders whose process is gone; never fails, as it is not what was asked for. */
async function removeLeftBehind(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const pid = /^durant-(\d+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];
      if (pid === undefined || isRunning(Number(pid))) return;
      const directory = join(folder, name);
      try {
        const { uid } = await lstat(directory);
        if (process.getuid !== undefined && uid !== process.getuid()) return;
        if (await isListenedTo(directory)) return;
        await rm(directory, { recursive: true, force: true });
      } catch {
        // Somebody else is removing it, or may.
      }
    }),
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Whether somebody answers at one of its sockets: in another container that shares the folder a process of that id may live. */
async function isListenedTo(directory: string): Promise<boolean> {
  const answers = (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isSocket())
    .map((entry) => isOpen(join(directory, entry.name)));
  return (await Promise.all(answers)).includes(true);
}

function isOpen(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
