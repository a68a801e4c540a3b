/** What `{version}` stands for: `version`, `[vars] version`, else what the commit's pyproject.toml or package.json says. */
import { DurantError } from '../../errors.ts';
import type { FetchedRun, Run } from '../run/run.ts';

/**
 * Sets the run's version, where an option uses it or the stage gives it.
 * @throws {DurantError} `config-invalid` where an option needs it and there is none, or it does not fit into a file's name.
 */
export async function resolveVersion(run: FetchedRun): Promise<void> {
  const { clone, commit, settings } = run;
  run.version = settings.version;
  const users = (['release_name', 'distfile', 'requirements'] as const).filter(
    (key) => settings[key]?.includes('{version}') === true,
  );
  if (users.length === 0) return;
  run.version ??=
    versionOfPyproject((await clone.file(commit, 'pyproject.toml'))?.toString('utf8') ?? '') ??
    versionOfPackage((await clone.file(commit, 'package.json'))?.toString('utf8') ?? '');
  if (run.version === undefined)
    throw new DurantError(
      'config-invalid',
      `${users.join(' and ')} use${users.length === 1 ? 's' : ''} {version}, but neither durant.conf nor pyproject.toml or package.json of ${commit.id.slice(0, 7)} gives one.`,
      { remedy: 'Write version = … in [vars] or the stage.' },
    );
  if (!/^[A-Za-z0-9][A-Za-z0-9._+!-]*$/.test(run.version))
    throw new DurantError('config-invalid', `The version "${run.version}" does not fit into a file's name.`, {
      remedy: 'Use letters, digits, ".", "_", "+", "!" and "-".',
    });
}

/** `distfile` or `requirements` with `{version}` filled in. */
export function withVersion(run: Run, path: string): string {
  return path.replaceAll('{version}', run.version ?? '').replace(/^(\.\/)+/, '');
}

/** `version` of the table `[project]`, else of `[tool.poetry]`; undefined where it is dynamic or missing. */
export function versionOfPyproject(text: string): string | undefined {
  const found = new Map<string, string>();
  let table = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*([^[\]]+?)\s*\]\s*(#.*)?$/.exec(line);
    if (header !== null) table = (header[1] ?? '').replaceAll(/[\s"']/g, '');
    const value = /^\s*version\s*=\s*(["'])([^"']*)\1\s*(#.*)?$/.exec(line);
    if (value !== null && !found.has(table)) found.set(table, value[2] ?? '');
  }
  return found.get('project') ?? found.get('tool.poetry');
}

/** `version` of a package.json; undefined where it has none or cannot be read. */
export function versionOfPackage(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('version' in parsed)) return undefined;
    return typeof parsed.version === 'string' ? parsed.version : undefined;
  } catch {
    return undefined;
  }
}
