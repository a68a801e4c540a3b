/**
 * `.durant/history.log`: one line per run that changed something or tried to. A line begins with what people read, `WHEN WHO WHAT OUTCOME`,
 * and ends with the same as JSON; lines of earlier versions lack that, and what they do not say is null.
 */
import type { DurantError, ErrorCode } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { jsonText } from './record.ts';

/** A run as the log tells it. */
export interface HistoryEntry {
  /** null in lines of earlier versions. */
  readonly run: string | null;
  readonly action: string;
  /** By the clock of the machine that ran it: UTC ISO 8601. */
  readonly started: string;
  readonly ms: number | null;
  readonly user: string;
  readonly host: string;
  /** What was made live, or was to be. */
  readonly commit: string | null;
  /** What was live before. */
  readonly from_commit: string | null;
  readonly release: string | null;
  readonly ok: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Entries, as durant.conf of that machine has them. */
  readonly servers: readonly string[];
}

/** How a run ended. `note`: what people read besides, like the names of what was removed. */
export type Outcome =
  | { readonly ok: true; readonly note?: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** A run that failed, without its secrets. */
export function failureOf(run: Run, error: DurantError): Outcome {
  return { ok: false, code: error.code, message: run.mask(error.paragraph) };
}

/** Script that adds a run's line; the working directory is project_dir. */
export function historyLine(run: Run, server: ServerRun, outcome: Outcome): string {
  const commit = run.commit?.id;
  const { facts, previous } = server;
  const before = previous === undefined ? facts.live : previous;
  const what = `${run.action} ${run.release ?? '-'}${commit === undefined ? '' : ` ${commit}`}`;
  return appendHistory(run.host, what, outcome, {
    run: run.id,
    action: run.action,
    started: run.started,
    waitedMs: run.waitedMs(),
    commit: commit ?? null,
    from_commit: facts.records.find(({ name }) => name === before)?.commit || null,
    release: run.release ?? null,
    servers: run.request.servers.map(({ entry }) => entry),
  });
}

/** As `historyLine`, for commands that are no run of their own. */
export function appendHistory(
  who: { readonly user: string; readonly hostname: string; readonly now: () => Date },
  what: string,
  outcome: Outcome,
  about: Pick<HistoryEntry, 'run' | 'action' | 'commit' | 'from_commit' | 'release' | 'servers'> & {
    readonly started: Date;
    /** For how long people were asked: that is no work. */
    readonly waitedMs?: number;
  },
): string {
  const now = who.now();
  const ended = outcome.ok
    ? outcome.note === undefined
      ? 'ok'
      : `ok: ${outcome.note}`
    : `failed: ${outcome.code}`;
  const entry: HistoryEntry = {
    run: about.run,
    action: about.action,
    started: about.started.toISOString(),
    ms: Math.max(0, now.getTime() - about.started.getTime() - (about.waitedMs ?? 0)),
    user: who.user,
    host: who.hostname,
    commit: about.commit,
    from_commit: about.from_commit,
    release: about.release,
    ok: outcome.ok,
    error: outcome.ok ? null : { code: outcome.code, message: firstLine(outcome.message) },
    servers: about.servers,
  };
  const words = `${now.toISOString()} ${who.user}@${who.hostname} ${what} ${ended}`.replaceAll(
    /[\r\n]+/g,
    ' ',
  );
  return `printf '%s\\n' ${quote(`${words} ${jsonText(entry)}`)} >> .durant/history.log`;
}

function firstLine(message: string): string {
  return message.split('\n', 1).join('').slice(0, 1000);
}

/** Reads a log, oldest first; a line that is none is left out. */
export function parseHistory(text: string, server: string): readonly HistoryEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseDetails(line) ?? parseWords(line);
    return entry === undefined ? [] : [{ ...entry, servers: [...new Set([...entry.servers, server])] }];
  });
}

/** The runs of several servers as one list, newest first: the lines of one run are one entry. */
export function mergeHistories(histories: readonly (readonly HistoryEntry[])[]): readonly HistoryEntry[] {
  const merged: HistoryEntry[] = [];
  const byRun = new Map<string, number>();
  for (const entry of histories.flat()) {
    const at =
      entry.run === null ? merged.findIndex((known) => isSameOld(known, entry)) : byRun.get(entry.run);
    const known = at === undefined || at < 0 ? undefined : merged[at];
    if (at !== undefined && known !== undefined) merged[at] = join(known, entry);
    else {
      if (entry.run !== null) byRun.set(entry.run, merged.length);
      merged.push(entry);
    }
  }
  return merged.toSorted((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : 0));
}

/** What failed on one server, or after it was live, failed. */
function join(a: HistoryEntry, b: HistoryEntry): HistoryEntry {
  return {
    ...a,
    ms: a.ms === null || b.ms === null ? (a.ms ?? b.ms) : Math.max(a.ms, b.ms),
    from_commit: a.from_commit ?? b.from_commit,
    ok: a.ok && b.ok,
    error: a.error ?? b.error,
    servers: [...new Set([...a.servers, ...b.servers])],
  };
}

const SAME_RUN_MS = 10 * 60_000;

/** Lines of earlier versions that can only be of one run: they name none. */
function isSameOld(a: HistoryEntry, b: HistoryEntry): boolean {
  return (
    a.run === null &&
    b.servers.every((server) => !a.servers.includes(server)) &&
    a.action === b.action &&
    a.release === b.release &&
    a.commit === b.commit &&
    a.ok === b.ok &&
    a.user === b.user &&
    a.host === b.host &&
    Math.abs(Date.parse(a.started) - Date.parse(b.started)) < SAME_RUN_MS
  );
}

function parseDetails(line: string): HistoryEntry | undefined {
  const json = /^[^{]* (\{"run":.*\})$/.exec(line)?.[1];
  if (json === undefined) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(found)) return undefined;
  const field = (name: string): string | null => (typeof found[name] === 'string' ? found[name] : null);
  const { ms, error, servers } = found;
  return {
    run: field('run'),
    action: field('action') ?? '',
    started: field('started') ?? '',
    ms: typeof ms === 'number' ? ms : null,
    user: field('user') ?? '',
    host: field('host') ?? '',
    commit: field('commit'),
    from_commit: field('from_commit'),
    release: field('release'),
    ok: found['ok'] === true,
    error: isRecord(error) ? { code: String(error['code']), message: String(error['message']) } : null,
    servers: Array.isArray(servers) ? servers.filter((each) => typeof each === 'string') : [],
  };
}

/** `WHEN USER@HOST ACTION RELEASE [COMMIT] OUTCOME`, and what a dead man's switch writes. */
function parseWords(line: string): HistoryEntry | undefined {
  const match = /^(\d{4}-\S+Z) (.*?)@(\S+) (\w+) (\S+)(?: ([0-9a-f]{40,64}))?(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, started = '', user = '', host = '', action = '', release = '', commit, rest = ''] = match;
  const code = action === 'dead_man' ? 'reverted' : /^ failed: (\S+)/.exec(rest)?.[1];
  return {
    run: null,
    action,
    started,
    ms: null,
    user,
    host,
    commit: commit ?? null,
    from_commit: null,
    release: release === '-' || action === 'unlock' ? null : release,
    ok: code === undefined,
    error: code === undefined ? null : { code, message: `${release}${rest}` },
    servers: [],
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
