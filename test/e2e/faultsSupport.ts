/** What the fault tests look at: whether `current` was ever half, what a run left on a server, and a client killed at an exact event. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CliResult, CliRun, JsonLine } from '../support/cli.ts';
import type { CommitDescription } from '../support/repo.ts';
import { waitFor } from '../support/wait.ts';
import type { World } from './world.ts';

/** First and last file of the tree in name order: a release that has both with one content is whole. */
const FIRST = '00-first.txt';
const LAST = 'zz/last.txt';

/** Commits a version whose files all say so; gives the commit's id. */
export function commitVersion(world: World, version: string, files: CommitDescription['files'] = {}) {
  const [id = ''] = world.repository.commit({
    message: version,
    files: { 'index.html': `${version}\n`, [FIRST]: `${version}\n`, [LAST]: `${version}\n`, ...files },
  });
  return id;
}

export interface Watch {
  /** How often it looked. */
  readonly looks: number;
  /** Ends, and fails where `current` was ever incomplete, or gone once it had been there. */
  end(): Promise<void>;
}

/** Reads what is live on each server again and again, as a web server would. */
export function watchLive(world: World): Watch {
  const wrong: string[] = [];
  const wasLive = new Set<number>();
  let looks = 0;
  let stopped = false;
  const look = (server: number): void => {
    const site = world.site(server);
    let release: string;
    try {
      release = readlinkSync(join(site, 'current'));
    } catch {
      if (wasLive.has(server)) wrong.push(`server ${server}: current is gone`);
      return;
    }
    wasLive.add(server);
    try {
      const read = (path: string) => readFileSync(join(site, release, path), 'utf8').trim();
      const [revision, ...contents] = [read('REVISION'), read('index.html'), read(FIRST), read(LAST)];
      const subject = world.repository.git('log', '-1', '--format=%s', revision ?? '');
      if (contents.some((content) => content !== subject))
        wrong.push(`server ${server}: ${release} mixes ${subject} with ${contents.join(', ')}`);
    } catch (error) {
      wrong.push(`server ${server}: ${release} is incomplete: ${String(error)}`);
    }
  };
  const seen = new Map<number, string>();
  const loop = (async () => {
    while (!stopped) {
      for (const server of world.servers.keys()) {
        looks += 1;
        // The git process of a full look is only worth it where something changed.
        const now = fingerprint(world, server);
        if (now !== seen.get(server)) look(server);
        seen.set(server, now);
      }
      await pause(1);
    }
  })();
  return {
    get looks() {
      return looks;
    },
    async end() {
      stopped = true;
      await loop;
      for (const server of world.servers.keys()) look(server);
      assert.deepEqual(wrong, []);
    },
  };
}

function fingerprint(world: World, server: number): string {
  const current = join(world.site(server), 'current');
  return ['REVISION', 'index.html', FIRST, LAST]
    .map((path) => {
      try {
        return readFileSync(join(current, path), 'utf8');
      } catch {
        return '-';
      }
    })
    .concat(linkOf(current))
    .join();
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '-';
  }
}

/** Fails where a server holds anything that a finished run does not leave, or servers differ. */
export function assertTidy(world: World): void {
  for (const server of world.servers.keys()) {
    const site = world.site(server);
    const releases = readdirSync(join(site, 'releases')).toSorted();
    const here = readdirSync(join(site, '.durant')).filter((name) => !name.startsWith('spare.'));
    assert.deepEqual(
      here.toSorted(),
      ['history.log', 'manifests', 'releases', 'version'],
      `server ${server}`,
    );
    assert.deepEqual(
      readdirSync(join(site, '.durant/releases')).toSorted(),
      releases.map((name) => `${name}.ini`).toSorted(),
    );
    assert.deepEqual(
      readdirSync(join(site, '.durant/manifests'))
        .filter((name) => !name.endsWith('.touched'))
        .toSorted(),
      releases,
    );
    assert.equal(world.live(server), world.live(0));
    assert.deepEqual(releases, world.releases(0));
  }
}

/** State in the record of a release. */
export function stateOf(world: World, release: string, server = 0): string | undefined {
  const record = readFileSync(join(world.site(server), '.durant/releases', `${release}.ini`), 'utf8');
  return /^state = "(.*)"$/m.exec(record)?.[1];
}

/** Waits until nothing runs on a server whose command matches; e.g. the `sleep 1000` of a hook. */
export async function assertGone(world: World, pattern: RegExp, server = 0): Promise<void> {
  const running = async () =>
    ((await world.servers[server]?.processes()) ?? []).filter(({ command }) => pattern.test(command));
  await waitFor(`${pattern} to end`, async () => (await running()).length === 0).catch(async () =>
    assert.deepEqual(await running(), []),
  );
}

/** Whether such a process runs on a server. */
export async function isRunning(world: World, pattern: RegExp, server = 0): Promise<boolean> {
  return ((await world.servers[server]?.processes()) ?? []).some(({ command }) => pattern.test(command));
}

/** Calls `then` in the very moment in which the run (with --json) prints an event that matches. */
export function onEvent(run: CliRun, matches: (event: JsonLine) => boolean, then: () => void): void {
  let rest = '';
  let done = false;
  run.child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (done || !line.startsWith('{') || !matches(JSON.parse(line))) continue;
      done = true;
      then();
    }
  });
}

/** Starts a deploy and kills the client at an event; gives what it printed. */
export async function deployKilledAt(
  world: World,
  matches: (event: JsonLine) => boolean,
  args: readonly string[] = ['deploy', 'production'],
): Promise<CliResult> {
  const run = world.start(['--json', ...args]);
  onEvent(run, matches, () => run.kill());
  const result = await run.result;
  assert.equal(result.status, 137, `The run was not killed: ${result.stdout}`);
  return result;
}

/** The same at an event that is among the last: the run may have come to its end before the kill. */
export async function deployKilledLate(
  world: World,
  matches: (event: JsonLine) => boolean,
): Promise<CliResult> {
  const run = world.start(['--json', 'deploy', 'production']);
  onEvent(run, matches, () => run.kill());
  const result = await run.result;
  assert.ok([137, 0].includes(result.status), result.stdout);
  return result;
}

/** Matches `step` events: `step('symlink', 'running', world.servers[1])`. */
export function step(name: string, state: string, server?: { readonly entry: string }) {
  return (event: JsonLine): boolean =>
    event['event'] === 'step' &&
    event['step'] === name &&
    event['state'] === state &&
    (server === undefined || event['server'] === server.entry);
}
