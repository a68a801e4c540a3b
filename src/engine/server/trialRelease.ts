/**
 * Whether a server's tools can make a release, found by making two of a few files in a scratch folder there: the second from the first, as
 * every later deploy does. Tools differ in more than their options, and a look at those would miss it.
 */
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import type { TransferFacts } from '../../transfer/stream/probe.ts';
import { updateCode } from '../../transfer/stream/stream.ts';
import { createExcluder } from '../../transfer/tree/exclude.ts';
import { planTransfer } from '../../transfer/tree/plan.ts';
import { scanTree, type TrackedPath, type Tree } from '../../transfer/tree/scan.ts';

export interface TrialRequest {
  readonly connection: Connection;
  readonly facts: TransferFacts;
  /** The tree that a deploy would send, where it is known: names like its own are tried. */
  readonly tree: Tree | undefined;
  readonly unchanged: 'copy' | 'link';
  readonly signal: AbortSignal;
}

/** @throws {DurantError} what a transfer there fails with. Nothing of the trial stays. */
export async function tryRelease({
  connection,
  facts,
  tree,
  unchanged,
  signal,
}: TrialRequest): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'durant-trial-'));
  const scratch = await connection.exec({ script: 'mktemp -d', signal });
  const projectDir = scratch.stdout.toString('utf8').replace(/\n$/, '');
  try {
    if (scratch.status !== 0 || !projectDir.startsWith('/')) throw noScratch(connection, scratch.stderr);
    const made = await connection.exec({
      script: `cd ${quote(projectDir)} && mkdir releases .durant`,
      signal,
    });
    if (made.status !== 0) throw noScratch(connection, made.stderr);
    const deploy = async (release: 'first' | 'second', previous: Tree | undefined): Promise<Tree> => {
      const next = await scan(work, release, signal, tree);
      await updateCode({
        connection,
        projectDir,
        run: `trial-${release}`,
        release,
        commit: '0'.repeat(40),
        live: previous === undefined ? undefined : 'first',
        liveManifest: previous?.manifest,
        tree: next,
        plan: planTransfer({ live: previous?.manifest, touched: [], tree: next }),
        unchanged,
        facts: { ...facts, touched: [], spare: undefined },
        before: '',
        after: '',
        signal,
      });
      return next;
    };
    await deploy('second', await deploy('first', undefined));
  } finally {
    await rm(work, { recursive: true, force: true });
    if (projectDir.startsWith('/'))
      // Also after a cancel.
      await connection
        .exec({ script: `rm -rf ${quote(projectDir)}`, signal: AbortSignal.timeout(10_000) })
        .catch(() => undefined);
  }
}

/** Files with what a release may have in it; `second` differs from `first` by content, and a file of it is gone. */
async function scan(
  work: string,
  release: 'first' | 'second',
  signal: AbortSignal,
  like: Tree | undefined,
): Promise<Tree> {
  const names = [
    'plain',
    ...(release === 'second' ? ['new/in/folders'] : []),
    'run',
    'deep/in/folders',
    "with space and 'quote'",
    ...(like?.entries.some(({ path }) => /[\n\\]/.test(path)) === true ? ['new\nline', 'back\\slash'] : []),
    ...(like?.entries.some(({ path }) => !isUtf8(path)) === true ? ['latin1-\xe9\xff'] : []),
  ];
  const file = (name: string): Buffer =>
    Buffer.concat([Buffer.from(`${work}/`), Buffer.from(name, 'latin1')]);
  const tracked: TrackedPath[] = names.map((path) => ({ path, mode: path === 'run' ? '100755' : '100644' }));
  for (const name of names) {
    await mkdir(dirname(join(work, name)), { recursive: true });
    await writeFile(file(name), name === 'plain' ? `${release}\n` : `${name}\n`);
  }
  if (release === 'first') {
    await writeFile(file('gone'), 'gone\n');
    await symlink('deep', join(work, 'link'));
  } else await rm(join(work, 'gone'), { force: true });
  return scanTree({
    workTree: work,
    subDirectory: undefined,
    tracked: [
      ...tracked,
      { path: 'link', mode: '120000', blob: '' },
      ...(release === 'first' ? [{ path: 'gone', mode: '100644' as const }] : []),
    ],
    commitTimeMs: 0,
    exclude: createExcluder([]),
    cacheFile: undefined,
    signal,
  });
}

function isUtf8(path: string): boolean {
  const bytes = Buffer.from(path, 'latin1');
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}

function noScratch(connection: Connection, said: Buffer): DurantError {
  const server = connection.address.entry;
  const text = said.toString('utf8').trim();
  return new DurantError('path-not-writable', `No scratch folder can be made on ${server} (mktemp -d).`, {
    remedy: 'Make its /tmp, or the folder that TMPDIR names there, writable.',
    output: text,
    server,
  });
}
