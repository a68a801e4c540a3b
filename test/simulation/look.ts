/** What lies on a simulated server, read from its folder. Shares nothing with the engine: the layout is read as engine.md describes it. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { commitId, filesOf, VERSIONS } from './repository.ts';

export interface Look {
  /** Text of the `current` link; null where there is none. */
  readonly current: string | null;
  /** The run that `.durant/lock` names; null where there is no lock. */
  readonly holder: string | null;
  /** State in the record of each release that has a folder; undefined where it has no record. */
  readonly states: ReadonlyMap<string, string | undefined>;
  /** Every path below project_dir, with what tells that it changed. */
  readonly paths: ReadonlyMap<string, string>;
}

export function look(site: string): Look {
  const paths = new Map<string, string>();
  walk(site, '', paths);
  const states = new Map<string, string | undefined>();
  for (const name of names(join(site, 'releases')))
    states.set(name, field(textOf(join(site, '.durant/releases', `${name}.ini`)), 'state'));
  const lock = textOf(join(site, '.durant/lock'));
  return {
    current: linkOf(join(site, 'current')),
    holder: lock === undefined ? null : (field(lock, 'run') ?? ''),
    states,
    paths,
  };
}

/** What is wrong with the release that a link leads to; undefined where it is the whole tree of its commit. */
export function flawOf(site: string, link: string): string | undefined {
  const name = /^releases\/([^/]+)$/.exec(link)?.[1];
  if (name === undefined) return `current leads to ${link}`;
  const folder = join(site, link);
  const revision = textOf(join(folder, 'REVISION'))?.trim();
  if (revision === undefined) return `current dangles, or has no REVISION: ${link}`;
  const version = versionOf(revision);
  if (version === undefined) return `${link} has the unknown REVISION ${revision}`;
  for (const [path, text] of Object.entries(filesOf(version)))
    if (textOf(join(folder, path)) !== text) return `${link} lacks ${path} of version ${version}`;
  const known = new Set([...Object.keys(filesOf(version)), 'REVISION']);
  for (const [path, what] of walked(folder))
    if (!what.startsWith('d') && !what.startsWith('l') && !known.has(path))
      return `${link} has ${path}, which version ${version} does not have`;
  return undefined;
}

/** What is wrong with a server's records and log; undefined for nothing. */
export function recordFlaw(site: string): string | undefined {
  for (const name of names(join(site, '.durant/releases'))) {
    if (!name.endsWith('.ini')) continue;
    const text = textOf(join(site, '.durant/releases', name)) ?? '';
    if (!/^(\w+ = "([^"\\]|\\.)*"\n)+$/.test(text))
      return `the record ${name} cannot be read: ${JSON.stringify(text)}`;
    const state = field(text, 'state');
    if (!['preparing', 'prepared', 'finished', 'failed', 'bad'].includes(state ?? ''))
      return `the record ${name} has the state ${state}`;
  }
  const log = textOf(join(site, '.durant/history.log')) ?? '';
  const bad = log
    .split('\n')
    .find((line) => line !== '' && !/^\d{4}-\d\d-\d\dT[\d:.]+Z \S+@\S+ \w+ .+$/.test(line));
  if (bad !== undefined || (log !== '' && !log.endsWith('\n')))
    return `history.log has the line ${bad ?? 'cut off'}`;
  return undefined;
}

/** What a server holds that no finished run leaves; `spare` aside. */
export function leftoversOf(site: string): readonly string[] {
  const usual = new Set(['history.log', 'manifests', 'releases', 'version']);
  const left = names(join(site, '.durant')).filter((name) => !usual.has(name) && !name.startsWith('spare.'));
  const releases = names(join(site, 'releases')).filter((name) => name !== FOREIGN);
  const recorded = names(join(site, '.durant/releases'));
  const manifests = names(join(site, '.durant/manifests')).filter((name) => !name.endsWith('.touched'));
  return [
    ...left.map((name) => `.durant/${name}`),
    ...releases
      .filter((name) => !recorded.includes(`${name}.ini`))
      .map((name) => `releases/${name} without a record`),
    ...recorded
      .filter((name) => !releases.includes(name.replace(/\.(ini|provenance\.json)$/, '')))
      .map((name) => `.durant/releases/${name}`),
    ...manifests.filter((name) => !releases.includes(name)).map((name) => `.durant/manifests/${name}`),
  ];
}

/** A folder in `releases/` that somebody else made. */
export const FOREIGN = 'made-by-hand';

export function versionOf(revision: string): number | undefined {
  for (let version = 1; version <= VERSIONS; version += 1) if (commitId(version) === revision) return version;
  return undefined;
}

export function revisionOf(site: string, link: string): string | undefined {
  return textOf(join(site, link, 'REVISION'))?.trim();
}

export function walked(folder: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  walk(folder, '', paths);
  return paths;
}

/** The release that an unfinished rollback goes to. */
export function rollbackGoal(site: string): string | undefined {
  return field(textOf(join(site, '.durant/rollback')), 'release');
}

function walk(folder: string, prefix: string, into: Map<string, string>): void {
  for (const name of names(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) {
      into.set(`${prefix}${name}`, `d ${stat.mode.toString(8)}`);
      walk(path, `${prefix}${name}/`, into);
    } else if (stat.isSymbolicLink()) into.set(`${prefix}${name}`, `l ${linkOf(path) ?? ''}`);
    else into.set(`${prefix}${name}`, `f ${stat.size} ${stat.mtimeMs} ${stat.ino}`);
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function field(text: string | undefined, key: string): string | undefined {
  return new RegExp(`^${key} = "(.*)"$`, 'm').exec(text ?? '')?.[1];
}
