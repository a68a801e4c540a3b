/** What validation may know of the project that is open: its refs and tracked files, for the stages that deploy that very project. */
import { pathParts } from '../config/values/forms.ts';
import type { Stage } from '../config/values/stage.ts';
import type { Facts } from '../config/rules/validationFacts.ts';
import { wholeResolver } from '../config/values/resolvers.ts';
import type { ProjectNames } from './languageFacts.ts';

/** Most comparisons of a pattern with a path in one pass; beyond that a pattern is not judged. */
const MOST_COMPARISONS = 200_000;

export interface ProjectFactsRequest {
  readonly project: ProjectNames | undefined;
  readonly excludes: Facts['excludes'];
  readonly identity: Facts['identity'];
}

/** Facts for one validation of one text: made anew for each. */
export function projectFactsFor({ project, excludes, identity }: ProjectFactsRequest): Facts {
  const judged = new Set<string>();
  let left = MOST_COMPARISONS;
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(excludes === undefined ? {} : { excludes }),
    refs: (stage) => (project === undefined ? undefined : refsFor(project, stage)),
    trackedFiles: (stage) => {
      if (project === undefined || !isHere(project, stage)) return undefined;
      const branch = plain(stage, 'branch');
      if (branch !== undefined && branch !== project.branch) return undefined;
      // Several stages that inherit one list would only say the same again.
      const patterns = stage.values.get('exclude');
      const id = `${String(patterns?.option?.keyRange.start)} ${patterns?.value ?? ''} ${plain(stage, 'sub_directory') ?? ''}`;
      if (judged.has(id)) return undefined;
      judged.add(id);
      const files = filesFor(project, stage);
      if (files === undefined) return undefined;
      left -= files.length * (patterns?.value.split(/[\n,]/).length ?? 1);
      return left < 0 ? undefined : files;
    },
  };
}

/** Branches that a run could fetch, and tags; undefined where the stage deploys something else. */
function refsFor(project: ProjectNames, stage: Stage): readonly string[] | undefined {
  const repository = plain(stage, 'repository');
  if (repository === undefined) return undefined;
  if (isThisFolder(repository)) return [...project.branches, ...project.tags];
  const remotes = project.remotes.filter(({ url }) => sameUrl(url, repository)).map(({ name }) => name);
  const branches = project.remoteBranches
    .filter(({ remote }) => remotes.includes(remote))
    .map(({ branch }) => branch);
  // A remote that was never fetched says nothing.
  return branches.length === 0 ? undefined : [...branches, ...project.tags];
}

function isHere(project: ProjectNames, stage: Stage): boolean {
  const repository = plain(stage, 'repository');
  if (repository === undefined) return false;
  return isThisFolder(repository) || project.remotes.some(({ url }) => sameUrl(url, repository));
}

function filesFor(project: ProjectNames, stage: Stage): readonly string[] | undefined {
  const folder = plain(stage, 'sub_directory');
  if (folder === undefined) return project.trackedPaths;
  const prefix = `${pathParts(folder).join('/')}/`;
  const below = project.trackedPaths.flatMap((path) =>
    path.startsWith(prefix) ? [path.slice(prefix.length)] : [],
  );
  // A folder that nothing is tracked in is build output.
  return below.length === 0 ? undefined : below;
}

function plain(stage: Stage, key: string): string | undefined {
  const found = stage.values.get(key);
  if (found === undefined || found.broken || found.value === '') return undefined;
  return wholeResolver('text', found.value) === undefined ? found.value : undefined;
}

function isThisFolder(repository: string): boolean {
  return /^\.\/?$/.test(repository);
}

/** Remotes' URLs come with their passwords masked; trailing `.git` and `/` do not count. */
function sameUrl(a: string, b: string): boolean {
  const bare = (url: string): string =>
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .replace(/\/\/[^/@]*@/, '//');
  return bare(a) === bare(b);
}
