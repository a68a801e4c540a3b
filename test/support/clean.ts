/** A suite that proves it leaves nothing behind: its own folder for temporary files, and a mark on all it starts. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcesses, processesWithEnvironment, type FoundProcess } from './processes.ts';
import { waitFor } from './wait.ts';

export interface CleanArea {
  /** Processes that were started since and still run. */
  processes(): Promise<readonly FoundProcess[]>;
  /** Fails where a process or a temporary file is left; removes them in any case. */
  finish(): Promise<void>;
}

/** From here on everything that this process makes with `tmpdir()` or starts is watched. One at a time. */
export function openCleanArea(): CleanArea {
  const outer = process.env['TMPDIR'];
  const directory = mkdtempSync(join(tmpdir(), 'durant-area-'));
  const id = randomBytes(8).toString('hex');
  process.env['TMPDIR'] = directory;
  process.env['DURANT_TEST_AREA'] = id;
  const processes = () => processesWithEnvironment('DURANT_TEST_AREA', id);
  const finish = async () => {
    if (outer === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outer;
    delete process.env['DURANT_TEST_AREA'];
    try {
      await waitFor('all processes to end', async () => (await processes()).length === 0).catch(async () =>
        assert.deepEqual(await processes(), []),
      );
      await waitFor('temporary files to go', () => readdirSync(directory).length === 0).catch(() =>
        assert.deepEqual(readdirSync(directory, { recursive: true }), []),
      );
    } finally {
      endProcesses(await processes());
      rmSync(directory, { recursive: true, force: true });
    }
  };
  return { processes, finish };
}
