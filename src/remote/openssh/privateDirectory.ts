/** A folder for the sockets of one connection: only the user may enter it, and its name is short enough for sockets. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurantError } from '../../errors.ts';

/** `sun_path` of the strictest systems, its NUL included. */
const socketPathBytes = 104;
/** `/durant-XXXXXX`, `/c`, and the suffix that ssh gives a control socket while it makes it (`.` and 16 letters). */
const ownBytes = 14 + 2 + 17 + 1;

/** Makes the folder (0700). @throws {DurantError} `internal` where no folder for temporary files can take it. */
export async function makePrivateDirectory(): Promise<string> {
  const windows = process.platform === 'win32';
  const short = [tmpdir(), '/tmp'].find(
    (folder) => windows || Buffer.byteLength(folder) + ownBytes <= socketPathBytes,
  );
  if (short === undefined)
    throw new DurantError(
      'internal',
      'The folder for temporary files has too long a name; set TMPDIR to a shorter one.',
    );
  return mkdtemp(join(short, 'durant-'));
}

/** Removes it with all that is in it. */
export function removePrivateDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
