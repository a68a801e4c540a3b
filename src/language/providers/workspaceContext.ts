/** What is known around a durant.conf: its git project, this machine's ssh hosts and keys, files it names. Nothing in an untrusted workspace. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Facts } from '../../config/rules/validationFacts.ts';
import type { ProjectFacts } from '../../git/projectRepository.ts';
import { createHides } from '../../transfer/tree/hiddenPaths.ts';
import type { ProjectNames, Surroundings } from '../languageFacts.ts';
import { fileState, keyFiles, localPath, type FileState } from '../machine.ts';
import { sshHosts } from '../../editor/sshHosts.ts';
import { projectFactsFor } from '../projectValidation.ts';

/** How long what was found counts, ms. */
const FRESH = 5_000;

/** Reads the git project of a folder; undefined where it is in none. */
export type ReadProject = (folder: string, signal: AbortSignal) => Promise<ProjectFacts | undefined>;

export interface SurroundingsOf extends vscode.Disposable {
  /** Everything there is to offer, looked up now where it is old. */
  of(document: vscode.TextDocument): Promise<Surroundings>;
  /** What is known already; what is not is looked up, and `onDidChange` fires when it has come. */
  known(document: vscode.TextDocument): { readonly surroundings: Surroundings; readonly facts: Facts };
  /** Forgets what is known of the project and the files of a document. */
  forget(document: vscode.TextDocument): void;
  readonly onDidChange: vscode.Event<void>;
}

/** Whether anything outside of the text may be looked at. */
export function mayLookAround(document: vscode.TextDocument): boolean {
  return vscode.workspace.isTrusted && document.uri.scheme === 'file';
}

export function createSurroundings(readProject: ReadProject): SurroundingsOf {
  const changed = new vscode.EventEmitter<void>();
  const ended = new AbortController();
  const projects = createLookup(async (folder: string) => namesOf(await readProject(folder, ended.signal)));
  const files = createLookup<FileState>(fileState);
  const machine = createLookup(async () => ({ sshHosts: await sshHosts(), keyFiles: await keyFiles() }));
  const excludes = createHides();
  const tell = (): void => {
    if (!ended.signal.aborted) changed.fire();
  };

  return {
    onDidChange: changed.event,
    async of(document) {
      if (!mayLookAround(document)) return {};
      const variables = Object.keys(process.env).sort();
      const [project, found] = await Promise.all([
        projects.get(dirname(document.uri.fsPath)),
        machine.get('.ssh'),
      ]);
      return { project, ...found, variables };
    },
    known(document) {
      if (!mayLookAround(document)) return { surroundings: {}, facts: {} };
      const folder = dirname(document.uri.fsPath);
      const project = projects.peek(folder, tell);
      const facts = projectFactsFor({
        project,
        excludes,
        identity: (path) => {
          const full = localPath(path, folder, process.env);
          return full === undefined ? undefined : files.peek(full, tell);
        },
      });
      return { surroundings: { project }, facts };
    },
    forget(document) {
      projects.forget(dirname(document.uri.fsPath));
      files.forgetAll();
    },
    dispose() {
      ended.abort();
      changed.dispose();
    },
  };
}

interface Lookup<T> {
  /** What was found lately, or is looked up now. */
  get(key: string): Promise<T | undefined>;
  /** What is known, even if it is old; where it is not known or forgotten, `arrived` is called once it is. */
  peek(key: string, arrived: () => void): T | undefined;
  /** The next look asks again; until that has an answer, the old one counts. */
  forget(key: string): void;
  forgetAll(): void;
}

interface Found<T> {
  since: number;
  readonly answer: Promise<T | undefined>;
  value: T | undefined;
}

/** Remembers answers for a short while, and asks once for what several want to know. */
function createLookup<T>(find: (key: string) => Promise<T | undefined>): Lookup<T> {
  const entries = new Map<string, Found<T>>();
  const get = async (key: string): Promise<T | undefined> => {
    const before = entries.get(key);
    if (before !== undefined && Date.now() - before.since < FRESH) return await before.answer;
    // What cannot be found out is not offered and not judged.
    const answer = find(key).catch(() => undefined);
    const entry: Found<T> = { since: Date.now(), answer, value: before?.value };
    entries.set(key, entry);
    entry.value = await answer;
    return entry.value;
  };
  return {
    get,
    peek(key, arrived) {
      const before = entries.get(key);
      // What could not be found out may be there by now.
      const unanswered = before?.value === undefined && Date.now() - (before?.since ?? 0) >= FRESH;
      if (unanswered || before?.since === 0)
        void get(key).then((value) => {
          if (value !== undefined || before?.value !== undefined) arrived();
        });
      return before?.value;
    },
    forget(key) {
      const entry = entries.get(key);
      if (entry !== undefined) entry.since = 0;
    },
    forgetAll() {
      for (const entry of entries.values()) entry.since = 0;
    },
  };
}

function namesOf(facts: ProjectFacts | undefined): ProjectNames | undefined {
  if (facts === undefined) return undefined;
  const { branch, branches, remoteBranches, tags, remotes } = facts;
  const trackedPaths = facts.trackedPaths.map((path) => Buffer.from(path, 'latin1').toString('utf8'));
  return { branch, branches, remoteBranches, tags, remotes, trackedPaths };
}
