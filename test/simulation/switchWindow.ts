/**
 * How long the servers of one run disagree: from the first switch of `current` to the last, by the change times of the links. Each script
 * takes 25 ms to reach its server, and as long to answer, like a line of 50 ms.
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from './client.ts';
import type { Surroundings } from './surroundings.ts';
import { makeStage } from './stage.ts';

/** @returns milliseconds, one figure a deploy. */
export async function switchWindows(
  { folder, trees, shells }: Surroundings,
  servers: number,
  deploys: number,
): Promise<readonly number[]> {
  const stage = makeStage({ folder, trees, shells, servers, conf: [`parallel = ${servers}`], latency: 25 });
  const windows: number[] = [];
  for (let turn = 0; turn <= deploys; turn += 1) {
    const version = 1 + (turn % 2);
    const operation: Operation = { kind: 'deploy', version, again: true, waitMs: 0, only: [] };
    const { ended } = await stage.run(operation);
    if (ended !== 'ok') throw new Error(`The deploy failed: ${ended}`);
    const times = stage.servers.map(({ site }) => lstatSync(join(site, 'current')).ctimeMs);
    // The first deploy has nothing to switch from.
    if (turn > 0) windows.push(Math.max(...times) - Math.min(...times));
  }
  return windows;
}
