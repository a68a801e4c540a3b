/** Real git repositories for tests: from a description of commits, or large ones made fast. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Text or bytes: a file 644; null: deleted. Paths are bytes as latin1 strings; use `utf8Path` for names beyond ASCII. */
export type Entry =
  | string
  | Buffer
  | null
  | { readonly content: string | Buffer; readonly executable?: boolean }
  | { readonly link: string };

export interface CommitDescription {
  readonly message: string;
  readonly files: Readonly<Record<string, Entry>>;
  /** Default `main`. A branch that does not exist yet starts at the previous commit of the list. */
  readonly branch?: string;
  /** Seconds since the epoch; default one minute after the one before, the first 1700000000. */
  readonly date?: number;
  readonly tag?: string;
}

export interface Repository {
  /** Work tree, with `main` (or the last commit's branch) checked out. */
  readonly directory: string;
  /** Adds commits; gives their ids. */
  commit(...commits: readonly CommitDescription[]): readonly string[];
  /** Runs git here and gives its standard output without the last newline. */
  git(...args: readonly string[]): string;
  remove(): void;
}

/** A path as the bytes of its UTF-8. */
export function utf8Path(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}

const settings = `[user]
	name = Ada
	email = ada@example.org
[core]
	autocrlf = false
[commit]
	gpgsign = false
`;

/** Makes a repository in a new temporary folder, or in `directory`. */
export function makeRepository(
  commits: readonly CommitDescription[],
  directory = mkdtempSync(join(tmpdir(), 'durant-repo-')),
): Repository {
  const git = (...args: readonly string[]) => runGit(directory, args);
  git('init', '-q', '-b', 'main');
  // Hundreds of repositories are made in a run: what git says itself takes a program each time.
  appendFileSync(join(directory, '.git/config'), settings);
  let date = 1_700_000_000 - 60;
  const heads = new Map<string, string>();
  let last: string | undefined;
  const commit = (...added: readonly CommitDescription[]) => {
    const ids = added.map((description) => {
      const branch = description.branch ?? 'main';
      date = description.date ?? date + 60;
      const from = heads.get(branch) ?? last;
      importStream(directory, commitStream(description, branch, date, from));
      const id = readFileSync(join(directory, '.git/refs/heads', branch), 'utf8').trim();
      heads.set(branch, id);
      last = id;
      if (description.tag !== undefined) git('tag', description.tag, id);
      return id;
    });
    const branch = added.at(-1)?.branch ?? 'main';
    if (ids.length > 0) git('checkout', '-q', '-f', branch);
    return ids;
  };
  commit(...commits);
  return { directory, commit, git, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Every kind of entry that has ever gone wrong in a deploy tool. */
export const awkwardFiles: Readonly<Record<string, Entry>> = {
  'plain.txt': 'plain\n',
  empty: '',
  'bin/run': { content: '#!/bin/sh\necho run\n', executable: true },
  'with space and \'quote" $HOME `x` \\back': 'quoting\n',
  '-n': 'a name like an option\n',
  '#hash': 'hash\n',
  'new\nline': 'newline\n',
  'tab\tname': 'tab\n',
  [utf8Path('grüße/日本.txt')]: 'utf-8\n',
  'latin1-\xe9\xff': 'bytes that are not utf-8\n',
  'link-file': { link: 'plain.txt' },
  'link-folder': { link: 'bin' },
  'link-broken': { link: 'nowhere/at all' },
  'binary.bin': Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256)),
  'deep/a/b/c/d/e/f.txt': 'deep\n',
  'crlf.txt': 'one\r\ntwo\r\n',
};

/**
 * A repository of `count` files of `bytes` bytes (default 200, all different) in folders of 100, in one commit. 10,000 take about a
 * second.
 */
export function largeRepository(count: number, options: { readonly bytes?: number } = {}): Repository {
  const files: Record<string, Entry> = {};
  for (let index = 0; index < count; index += 1) {
    const line = `file ${index} of the large tree\n`;
    const content = line
      .repeat(Math.ceil((options.bytes ?? 200) / line.length))
      .slice(0, options.bytes ?? 200);
    files[`dir${Math.floor(index / 100)}/file${index}.txt`] = content;
  }
  return makeRepository([{ message: `${count} files`, files }]);
}

function commitStream(
  description: CommitDescription,
  branch: string,
  date: number,
  from: string | undefined,
): Buffer {
  const parts: Buffer[] = [];
  const text = (value: string) => parts.push(Buffer.from(value, 'utf8'));
  const data = (value: string | Buffer) => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    text(`data ${bytes.length}\n`);
    parts.push(bytes);
    text('\n');
  };
  text(`commit refs/heads/${branch}\n`);
  text(`author Ada <ada@example.org> ${date} +0000\ncommitter Ada <ada@example.org> ${date} +0000\n`);
  data(description.message);
  if (from !== undefined) text(`from ${from}\n`);
  for (const [path, entry] of Object.entries(description.files)) {
    const quoted = Buffer.from(quotedPath(path), 'latin1');
    if (entry === null) {
      parts.push(Buffer.from('D '), quoted, Buffer.from('\n'));
      continue;
    }
    const { mode, content } = blob(entry);
    parts.push(Buffer.from(`M ${mode} inline `), quoted, Buffer.from('\n'));
    data(content);
  }
  text('\n');
  return Buffer.concat(parts);
}

function blob(entry: Exclude<Entry, null>): { readonly mode: string; readonly content: string | Buffer } {
  if (typeof entry === 'string' || Buffer.isBuffer(entry)) return { mode: '100644', content: entry };
  if ('link' in entry) return { mode: '120000', content: entry.link };
  return { mode: entry.executable ? '100755' : '100644', content: entry.content };
}

function quotedPath(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function importStream(directory: string, stream: Buffer): void {
  execFileSync('git', ['fast-import', '--quiet', '--force'], {
    cwd: directory,
    input: stream,
    env: gitEnvironment(),
  });
}

function runGit(directory: string, args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: directory,
    encoding: 'utf8',
    env: gitEnvironment(),
    maxBuffer: 1 << 28,
  }).replace(/\n$/, '');
}

/** Nothing of the user's or the system's configuration reaches these repositories. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
}
