/** Releases that Deployer or Capistrano made in a project_dir, as far as their folders and logs tell. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Query } from '../../remote/target.ts';

export type Tool = 'deployer' | 'capistrano';

/** A release folder that holds a release. */
export interface AdoptableRelease {
  readonly name: string;
  /** Full id; '' where nothing tells. */
  readonly commit: string;
  /** UTC ISO 8601; undefined where nothing tells. */
  readonly started: string | undefined;
}

export interface Adoptable {
  readonly tool: Tool;
  /** Oldest first; the live one, and complete ones before it. */
  readonly releases: readonly AdoptableRelease[];
  /** Folders that are left alone: of deploys that failed, or that came after the live release. */
  readonly left: readonly string[];
}

const look = shellFile(import.meta.url, './adoptable.sh');

/**
 * Asked in project_dir.
 * @param live name of the release that `current` points at.
 * @param recorded names of releases that Durant knows: once it has deployed, only what is older than those it took over is still theirs.
 */
export function adoptableQuery(live: string, recorded: readonly string[]): Query<Adoptable> {
  return {
    script: parameters({ live }) + look,
    parse: (stdout) => parseAdoptable(stdout.toString('utf8'), live, recorded),
  };
}

function parseAdoptable(stdout: string, live: string, recorded: readonly string[]): Adoptable {
  const newestTaken = recorded.filter(isNumber).toSorted((a, b) => (isBefore(a, b) ? 1 : -1))[0];
  const until = isNumber(live) ? live : (newestTaken ?? live);
  const valuesOf = (key: string): string[] =>
    stdout.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const logged = new Set(valuesOf('done'));
  const dates = new Map(valuesOf('log').flatMap(deployerDate));
  const found = valuesOf('release').map((line) => {
    const [name = '', commit = '', bad = ''] = line.split(' ');
    const isComplete = bad === '' && (!logged.has(live) || logged.has(name));
    return { name, commit, isTaken: name === live || (isComplete && isBefore(name, until)) };
  });
  const releases = found
    .filter(({ isTaken }) => isTaken)
    .toSorted((a, b) => (isBefore(a.name, b.name) ? -1 : 1))
    .map(({ name, commit }) => ({
      name,
      commit: /^[0-9a-f]{40}$/.test(commit) ? commit : '',
      started: dates.get(name) ?? dateOf(name),
    }));
  return {
    tool: valuesOf('tool')[0] === 'deployer' ? 'deployer' : 'capistrano',
    releases,
    left: found.filter(({ isTaken }) => !isTaken).map(({ name }) => name),
  };
}

/** Both tools count upwards. A live release with another kind of name comes after all. */
export function isBefore(a: string, b: string): boolean {
  if (!isNumber(a) || !isNumber(b)) return isNumber(a) && !isNumber(b);
  return BigInt(a) < BigInt(b);
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

/** The date in the name of a Capistrano release; Deployer's are numbers. */
function dateOf(name: string): string | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return isoDate(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** A line of Deployer's releases_log. */
function deployerDate(line: string): readonly (readonly [name: string, date: string])[] {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof entry !== 'object' || entry === null) return [];
  const { release_name: name, created_at: created } = entry as Readonly<Record<string, unknown>>;
  const date = typeof created === 'string' ? isoDate(created) : undefined;
  return date === undefined ? [] : [[String(name), date]];
}

function isoDate(text: string): string | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
