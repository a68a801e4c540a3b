/** The whole life of a stage on a server of a cell: what a user does, in its order, and what is on the server afterwards. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitVersion } from '../e2e/faultsSupport.ts';
import { makeWorld, type World } from '../e2e/world.ts';
import { removeTree } from '../support/remove.ts';
import { awkwardFiles, utf8Path } from '../support/repo.ts';
import { startSmallSshd } from '../support/smallSshd.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { assertSameTree } from '../support/tree.ts';
import type { Cell } from './kinds.ts';

const play = {
  check: (world: World) => run(world, 'check', '--connect', 'production'),
  deploy: async (world: World) => {
    await run(world, 'deploy', 'production');
    assertLive(world, 'v1');
  },
  change: async (world: World) => {
    commitVersion(world, 'v2', { [utf8Path('grün.txt')]: 'green\n', 'a/new': 'new\n' });
    await run(world, 'deploy', 'production');
    assertLive(world, 'v2');
  },
  verify: (world: World) => run(world, 'verify', 'production'),
  rollback: async (world: World) => {
    await run(world, 'rollback', 'production');
    assert.equal(world.read('index.html'), 'v1\n');
  },
  prune: async (world: World) => {
    for (const version of ['v3', 'v4']) {
      commitVersion(world, version);
      await run(world, 'deploy', 'production');
    }
    await run(world, 'prune', '-k', '2', 'production');
    assert.equal(world.releases().length, 2);
    assertLive(world, 'v4');
  },
  adopt: async (world: World) => {
    // What another tool would have left there.
    removeTree(join(world.site(), '.durant'));
    await run(world, 'adopt', 'production');
    commitVersion(world, 'v5');
    await run(world, 'deploy', 'production');
    assertLive(world, 'v5');
  },
};

/** In their order. */
const steps = ['check', 'deploy', 'change', 'verify', 'rollback', 'prune', 'adopt'] as const;
type Step = (typeof steps)[number];

/** The step that went wrong, and why. */
export interface Ending {
  readonly step: Step;
  readonly reason: string;
}

/** Plays it. Undefined where all went well. */
export async function live(cell: Cell): Promise<Ending | undefined> {
  const world = await makeWorld({
    servers: [await startServer(cell)],
    commits: [{ message: 'v1', files: { 'index.html': 'v1\n', ...awkwardFiles } }],
    conf: [`ssh_client = ${cell.client}`, 'release_command = echo "$DURANT_STAGE" > made'],
  });
  try {
    for (const step of steps) {
      try {
        await play[step](world);
      } catch (error) {
        return { step, reason: error instanceof Error ? error.message : String(error) };
      }
    }
    return undefined;
  } finally {
    await world.remove();
  }
}

const shells = {
  dash: ['/bin/dash'],
  bash: ['/bin/bash'],
  busybox: ['/bin/busybox', 'sh'],
  fish: ['/usr/bin/fish'],
  tcsh: ['/usr/bin/tcsh'],
  zsh: ['/usr/bin/zsh'],
  mksh: ['/usr/bin/mksh'],
} as const;

function startServer({ sshd, tools, shell }: Cell): Promise<TestServer> {
  return sshd === 'OpenSSH'
    ? startSshd({ tools, shell: shells[shell] })
    : startSmallSshd({ daemon: sshd, tools, shell: shells[shell] });
}

async function run(world: World, ...args: readonly string[]): Promise<void> {
  const result = await world.run(['--json', ...args]);
  if (result.status !== 0) throw new Error(failureOf(result.stdout) || result.stderr);
}

/** The message of the error that the last object has. */
function failureOf(output: string): string {
  return /.*"message":"(?:[^"\\]|\\.)*"/s.exec(output)?.[0].split('\n').at(-1) ?? output;
}

function assertLive(world: World, version: string): void {
  const folder = join(world.site(), 'current');
  assert.equal(readFileSync(join(folder, 'index.html'), 'utf8'), `${version}\n`);
  assert.equal(readFileSync(join(folder, 'made'), 'utf8'), 'production\n');
  assertSameTree(folder, world.repository.directory, { without: ['.git', 'REVISION', 'made'] });
}
