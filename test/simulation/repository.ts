/** Git for simulated clients: a few commits, each with its tree ready in a folder. Git itself is tested elsewhere (test/git/). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clone, Commit, Git, TrackedFile } from '../../src/git/port.ts';

/** How many commits there are, the newest last. */
export const VERSIONS = 6;

export function commitId(version: number): string {
  return String(version).repeat(40).slice(0, 40);
}

/** What the files of a version say; the first and the last in the order of names, some alike in all versions. */
export function filesOf(version: number): Readonly<Record<string, string>> {
  const text = `version ${version}\n`;
  return {
    'a-first.txt': text,
    'same.txt': 'alike in all versions\n',
    [`only-in-${version}.txt`]: text,
    'zz/last.txt': text,
  };
}

/** Writes the trees; the folders are read by any number of runs. */
export function makeTrees(folder: string): void {
  for (let version = 1; version <= VERSIONS; version += 1)
    for (const [path, text] of Object.entries(filesOf(version))) {
      const file = join(folder, String(version), path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
}

/** @param folder where `makeTrees` wrote. */
export function fakeGit(folder: string): Git {
  return { open: () => Promise.resolve(fakeClone(folder)) };
}

function fakeClone(folder: string): Clone {
  let version = 1;
  return {
    get directory() {
      return join(folder, String(version));
    },
    fetch: (ref) => {
      version = Number(ref ?? VERSIONS);
      return Promise.resolve(commit(version));
    },
    checkout: () => Promise.resolve(),
    trackedFiles: () =>
      Promise.resolve(
        Object.keys(filesOf(version)).map((path): TrackedFile => ({ path, mode: '100644', blob: '' })),
      ),
    file: () => Promise.resolve(undefined),
    uncommitted: () => Promise.resolve(0),
    log: () => Promise.resolve(undefined),
    scratch: () => Promise.reject(new Error('No dry run of a simulated client builds.')),
    verify: () => Promise.resolve({ ok: true }),
    release: () => Promise.resolve(),
  };
}

function commit(version: number): Commit {
  return {
    id: commitId(version),
    subject: `Version ${version}`,
    author: 'Ada <ada@example.org>',
    date: 1_700_000_000_000 + version * 60_000,
    branch: 'main',
  };
}
