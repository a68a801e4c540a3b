/** What the engine needs from outside, as interfaces. A front end supplies them; tests may supply their own. */
import type { Git } from '../git/port.ts';
import type { Connect, Prompter } from '../remote/target.ts';

/** The clock, waiting, and random ids. */
export type Time = Pick<Host, 'now' | 'sleep' | 'randomId'>;

export interface Host {
  /** Opens connections to servers, and to this machine for local commands. */
  readonly connect: Connect;
  readonly git: Git;
  /** Answers questions; without anybody there it answers undefined at once. */
  readonly prompt: Prompter;
  /** Environment of this process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Waits that many milliseconds; rejects as soon as the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Eight hexadecimal digits that are not drawn twice: the end of a run's id. */
  readonly randomId: () => string;
  /** Who deploys and from where, for locks, records and history. */
  readonly user: string;
  readonly hostname: string;
  /** Folder for what may be lost: clones, manifests. */
  readonly cacheDir: string;
  /** Folder for what may not be lost: journals of runs. */
  readonly stateDir: string;
  readonly gitPath?: string | undefined;
  readonly sshPath?: string | undefined;
  readonly rsyncPath?: string | undefined;
  /** Program and arguments that start Durant's command line on this machine: rsync's remote shell is a subcommand of it. */
  readonly cli: readonly string[];
}
