/** The one script of `update_code`. `stream.ts` runs it. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import {
  copyFunctions,
  hashFunctions,
  pathFunctions,
  prologue,
  receiveFunction,
  scanFunction,
  stopSparesFunction,
  type HashTool,
} from './serverFunctions.ts';

/** What the stream's members are put on top of. */
export type Base =
  /** Nothing: the stream holds the whole tree. */
  | { readonly kind: 'fresh' }
  /** The live release's manifest paths; from the spare of a run where it is valid. */
  | { readonly kind: 'live'; readonly release: string; readonly spareRun: string | undefined }
  /** The release as an earlier script of this run left it, for files that had drifted. */
  | { readonly kind: 'kept' };

export interface UpdateScript {
  readonly projectDir: string;
  readonly run: string;
  readonly release: string;
  readonly commit: string;
  readonly base: Base;
  readonly unchanged: 'copy' | 'link';
  readonly hashTool: HashTool;
  /** `stream`: standard input is the tar stream; `delivered`: the tree lies in `incoming.RUN/in/tree`, the list of removals is the input. */
  readonly carrier: 'stream' | 'delivered';
  /** Reads the stream from standard input and writes the tar archive; undefined: it is not compressed. */
  readonly decompress: string | undefined;
  /** Digest of the manifest that must come out. */
  readonly digest: string;
  /** sh text for project_dir, before and after all of it; empty for none. */
  readonly before: string;
  readonly after: string;
}

/** Members of the stream beside the tree: paths to remove first, and a mark that it is whole. */
export const streamMembers = { tree: 'tree', remove: 'remove', end: 'end' } as const;

const update = shellFile(import.meta.url, './update.sh');
const cleanup = shellFile(import.meta.url, './cleanup.sh');
const restore = shellFile(import.meta.url, './restore.sh');

export function updateScript({ base, ...script }: UpdateScript): string {
  return [
    prologue(script.projectDir, script.hashTool),
    inProject(script.before, 'before'),
    parameters({
      run: script.run,
      release: script.release,
      base: base.kind,
      previous: base.kind === 'live' ? base.release : '',
      spare: base.kind === 'live' ? (base.spareRun ?? '') : '',
      how: script.unchanged,
      carrier: script.carrier,
      decompress: script.decompress ?? '',
      want: script.digest,
      commit: script.commit,
    }),
    pathFunctions,
    scanFunction,
    hashFunctions,
    receiveFunction,
    base.kind === 'live' ? copyFunctions : '',
    base.kind === 'kept' ? '' : stopSparesFunction,
    update,
    inProject(script.after, 'after'),
    'echo transfer.done=yes',
  ].join('\n');
}

/** The engine's own scripts want the login user's umask, and may set what they like. */
export function inProject(text: string, stage: 'before' | 'after'): string {
  return text === ''
    ? ''
    : `( umask "$mask"; cd "$top" || exit 1\n${text}\n) </dev/null || { echo transfer.failed=${stage}; exit 1; }`;
}

/** sh text that puts the release's folder back as it was before an `update_code` of this run whose check has failed. Not where it had drifted. */
export function restoreScript(projectDir: string, run: string, release: string): string {
  return parameters({ run, release }, { project: projectDir }) + restore;
}

/**
 * sh text that removes what a failed `update_code` of this run left: the release's folder, its manifest, and everything of the run in
 * `.durant`. Not for a release that is live.
 */
export function cleanupScript(projectDir: string, run: string, release: string): string {
  return parameters({ run, release }, { project: projectDir }) + cleanup;
}
