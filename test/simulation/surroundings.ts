/** What every simulation of a process works with: a folder, the trees of the commits, and shells that are there already. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTrees } from './repository.ts';
import { openShells, type Shells } from './shells.ts';

export interface Surroundings {
  /** A new folder; removed in the end. */
  readonly folder: string;
  /** Where `makeTrees` wrote. */
  readonly trees: string;
  readonly shells: Shells;
}

/** In memory where that is possible: nothing here is about disks, and folders are made and removed by the thousand. */
export async function withSurroundings(work: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  const surroundings = openSurroundings();
  try {
    await work(surroundings);
  } finally {
    closeSurroundings(surroundings);
  }
}

export function openSurroundings(): Surroundings {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'durant-simulation-'));
  const trees = join(folder, 'trees');
  makeTrees(trees);
  return { folder, trees, shells: openShells(join(folder, 'shells')) };
}

export function closeSurroundings({ folder, shells }: Surroundings): void {
  shells.close();
  rmSync(folder, { recursive: true, force: true });
}
