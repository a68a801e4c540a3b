/** What tests left behind, said and removed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcesses, processesWithEnvironment, fileVariable } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { mountsBelow } from './runFolder.ts';

/**
 * What a file whose process has ended left: processes (those that are just ending are waited for), mounts and files in its folder for
 * temporary files. One line each; all of it is removed.
 */
export async function leftBy(directory: string): Promise<readonly string[]> {
  const running = () => processesWithEnvironment(fileVariable, directory);
  // As long as any other wait of a test: on a busy machine an end takes its time, and only what will not end costs all of it.
  await waitFor('its processes to end', async () => (await running()).length === 0).catch(() => undefined);
  const processes = await running();
  endProcesses(processes);
  await waitFor('what it left to end', async () => (await running()).length === 0);
  const mounts = mountsBelow(directory);
  for (const path of mounts.toReversed()) execFileSync('umount', ['-l', path]);
  const files = readdirSync(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...mounts.map((path) => `mount ${path}`),
    ...files.map((name) => `${join(directory, name)}`),
  ];
}

/** How temporary files of Durant, VS Code, Chromium and their kin are called; what else comes into the machine's folder is others'. */
const ours = /^\.?(durant|vscode|playwright|org\.chromium|com\.google|dconf|node-compile-cache)/;

/** What is not marked as made by tests: the machine's accounts, and the names in its folder for temporary files. */
export interface Surroundings {
  readonly accounts: ReadonlySet<string>;
  readonly temporary: ReadonlySet<string>;
}

export function lookAround(): Surroundings {
  const passwd = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '';
  return {
    accounts: new Set(passwd.split('\n').flatMap((line) => line.split(':')[0] || [])),
    temporary: new Set(
      readdirSync(tmpdir())
        .filter((name) => ours.test(name))
        .map((name) => join(tmpdir(), name)),
    ),
  };
}

/** What is there after a run and was not before it, one line each. */
export function added(before: Surroundings, after: Surroundings): readonly string[] {
  return [
    ...[...after.accounts].filter((name) => !before.accounts.has(name)).map((name) => `account ${name}`),
    ...[...after.temporary].filter((path) => !before.temporary.has(path)),
  ];
}
