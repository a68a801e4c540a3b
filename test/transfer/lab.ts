/** A work tree, a project_dir and a connection with chosen tools: what the transfer's tests deploy from and to. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLocal } from '../../src/remote/local.ts';
import type { Connection, RemoteCommand, RemoteResult } from '../../src/remote/target.ts';
import { createExcluder } from '../../src/transfer/tree/exclude.ts';
import { fetchManifest } from '../../src/transfer/tree/manifestCache.ts';
import { planTransfer, type Plan } from '../../src/transfer/tree/plan.ts';
import { resendPaths, transferProbe, type TransferFacts } from '../../src/transfer/stream/probe.ts';
import { scanTree, type TrackedPath, type Tree } from '../../src/transfer/tree/scan.ts';
import { warmCopyScript, spareStopScript } from '../../src/transfer/stream/warmCopy.ts';
import { updateCode, type UpdateResult } from '../../src/transfer/stream/stream.ts';
import { touchedScript } from '../../src/transfer/stream/modified.ts';
import { quote } from '../../src/remote/shell.ts';
import { removeTree } from '../support/remove.ts';
import { assertSameTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';

export const commitTimeMs = Date.UTC(2026, 10, 20, 12, 0, 0);

/** What a path of a work tree is; latin1 paths. */
export type Spec = Readonly<Record<string, FileSpec | { readonly link: string } | 'dir'>>;
export type FileSpec = string | { readonly text: string; readonly mode: number };

export type Tools = 'system' | 'busybox' | 'bsdtar' | 'no-stat';

export interface Lab {
  readonly work: string;
  readonly project: string;
  readonly connection: Connection;
  /** Scripts run so far. */
  readonly execs: () => number;
  /** Replaces the whole work tree. */
  write(spec: Spec): void;
  scan(options?: {
    readonly exclude?: readonly string[];
    readonly tracked?: readonly TrackedPath[];
  }): Promise<Tree>;
  probe(): Promise<TransferFacts>;
  deploy(name: string, options?: DeployOptions): Promise<Deployed>;
  /** Runs sh text in the project. */
  sh(script: string): Promise<RemoteResult>;
  touch(name: string): Promise<readonly string[]>;
  /** Makes the spare and waits for it. */
  spare(name: string, run?: string): Promise<void>;
  release(name: string): string;
  /** The release is the work tree, byte for byte, and its manifest says so. */
  assertRelease(name: string): void;
  remove(): Promise<void>;
}

export interface DeployOptions {
  readonly unchanged?: 'copy' | 'link';
  readonly signal?: AbortSignal;
  readonly connection?: Connection;
  readonly live?: string | undefined;
}

export interface Deployed {
  readonly result: UpdateResult;
  readonly plan: Plan;
  readonly tree: Tree;
  readonly facts: TransferFacts;
}

export async function openLab(
  options: { readonly tools?: Tools; readonly connection?: Connection; readonly project?: string } = {},
): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'durant-transfer-'));
  const work = join(directory, 'work');
  const project = options.project ?? join(directory, "it's a project");
  const address = {
    entry: 'local',
    host: 'localhost',
    user: undefined,
    port: undefined,
    local: true,
    roles: [],
  };
  const signal = new AbortController().signal;
  const plain = options.connection ?? (await connectLocal({ address, signal }));
  const path = toolsPath(directory, options.tools ?? 'system');
  let execs = 0;
  const connection: Connection = {
    ...plain,
    exec: (command: RemoteCommand) => {
      execs += 1;
      const before = process.env['PATH'];
      process.env['PATH'] = path ?? before;
      try {
        return plain.exec(command);
      } finally {
        process.env['PATH'] = before;
      }
    },
  };
  mkdirSync(work);
  mkdirSync(join(project, 'releases'), { recursive: true });
  mkdirSync(join(project, '.durant'));
  let live: string | undefined;
  let run = 0;

  const sh = (script: string): Promise<RemoteResult> =>
    connection.exec({ script: `cd ${quote(project)} || exit\n${script}`, signal });
  const scan: Lab['scan'] = (given = {}) =>
    scanTree({
      workTree: work,
      subDirectory: undefined,
      tracked: given.tracked ?? trackedOf(work),
      commitTimeMs,
      exclude: createExcluder(given.exclude ?? []),
      cacheFile: join(directory, 'hashes'),
      signal,
    });
  const probe = async (name: string | undefined): Promise<TransferFacts> => {
    const result = await sh(`live=${quote(name ?? '')}\n${transferProbe.script}`);
    return transferProbe.parse(result.stdout);
  };
  const lab: Lab = {
    work,
    project,
    connection,
    execs: () => execs,
    write: (spec) => writeTree(work, spec),
    scan,
    probe: () => probe(live),
    deploy: async (name, given = {}) => {
      const from = 'live' in given ? given.live : live;
      run += 1;
      const tree = await scan();
      const facts = await probe(from);
      const manifest =
        from === undefined || facts.manifestDigest === undefined
          ? undefined
          : await fetchManifest({
              connection,
              projectDir: project,
              release: from,
              digest: facts.manifestDigest,
              cacheDir: join(directory, 'cache'),
              signal,
            });
      const plan = planTransfer({ live: manifest, touched: resendPaths(facts), tree });
      const result = await updateCode({
        connection: given.connection ?? connection,
        projectDir: project,
        run: `run${String(run)}`,
        release: name,
        commit: 'c'.repeat(40),
        before: '',
        after: '',
        live: from,
        liveManifest: manifest,
        tree,
        plan,
        unchanged: given.unchanged ?? 'copy',
        facts,
        signal: given.signal ?? signal,
      });
      live = name;
      return { result, plan, tree, facts };
    },
    sh,
    touch: async (name) => {
      const result = await sh(
        touchedScript({ projectDir: project, run: `t${String(run)}`, release: name, hashTool: 'sha256sum' }),
      );
      if (result.status !== 0) throw new Error(result.stderr.toString());
      const text = readFileSync(join(project, '.durant/manifests', `${name}.touched`), 'latin1');
      return text.split('\n').slice(0, -1);
    },
    spare: async (name, spareRun = `s${String(run)}`) => {
      await sh(warmCopyScript({ projectDir: project, run: spareRun, release: name, hashTool: 'sha256sum' }));
      await waitFor(
        'the spare',
        () =>
          existsSync(join(project, '.durant', `spare.${spareRun}`, 'for')) &&
          !existsSync(join(project, '.durant/spare.lock')),
        30_000,
      );
    },
    release: (name) => join(project, 'releases', name),
    assertRelease: (name) => {
      normaliseFolders(work);
      const without = ['.git', '.gitignore', '.gitmodules', '.gitkeep', 'REVISION', 'durant.conf', '.durant'];
      assertSameTree(join(project, 'releases', name), work, { without });
      const left = readdirSync(join(project, '.durant')).filter((entry) => /^(incoming|touched)/.test(entry));
      if (left.length > 0) throw new Error(`left behind: ${left.join(' ')}`);
    },
    remove: async () => {
      await sh(spareStopScript(project));
      connection.close();
      execFileSync('chmod', ['-R', 'u+rwX', directory]);
      removeTree(directory);
      if (options.project !== undefined) removeTree(options.project);
    },
  };
  return lab;
}

function toolsPath(directory: string, tools: Tools): string | undefined {
  if (tools === 'system') return undefined;
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  if (tools === 'bsdtar') {
    symlinkSync('/usr/bin/bsdtar', join(bin, 'tar'));
    return `${bin}:/usr/bin:/bin`;
  }
  execFileSync('busybox', ['--install', '-s', bin]);
  if (tools === 'no-stat') rmSync(join(bin, 'stat'));
  return bin;
}

/** Every regular file and link as git would track it. */
export function trackedOf(root: string): TrackedPath[] {
  const found: TrackedPath[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(bytes(root, folder), { withFileTypes: true, encoding: 'latin1' })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.isSymbolicLink()) found.push({ path, mode: '120000', blob: '' });
      else if (entry.isFile()) {
        const mode = lstatSync(bytes(root, path)).mode & 0o777;
        if (mode === 0o755) found.push({ path, mode: '100755' });
        if (mode === 0o644) found.push({ path, mode: '100644' });
      }
    }
  };
  visit('');
  return found;
}

function writeTree(root: string, spec: Spec): void {
  execFileSync('chmod', ['-R', 'u+rwX', root]);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { mode: 0o755 });
  for (const [path, what] of Object.entries(spec)) {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    mkdirSync(bytes(root, what === 'dir' ? path : parent), { recursive: true });
    if (what === 'dir') continue;
    if (typeof what === 'object' && 'link' in what)
      symlinkSync(Buffer.from(what.link, 'latin1'), bytes(root, path));
    else {
      const { text, mode } = typeof what === 'string' ? { text: what, mode: 0o644 } : what;
      writeFileSync(bytes(root, path), text, 'latin1');
      chmodSync(bytes(root, path), mode);
    }
  }
}

/** Folders are 755 in every release, whatever they are here. */
function normaliseFolders(root: string): void {
  execFileSync('find', [root, '-type', 'd', '-exec', 'chmod', '755', '{}', '+']);
}

export function bytes(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}
