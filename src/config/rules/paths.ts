/** Rules on paths of the release, the private key, the branch and the exclude patterns of a stage. */
import { pathParts } from '../values/forms.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import { resolveStage } from '../values/stage.ts';
import { plainItems, plainText, valueOrKey, written, type SectionView } from './view.ts';

/** rsync patterns that are always excluded. */
export const BUILT_IN_EXCLUDES = ['.git', '.gitignore', '.gitmodules', '.gitkeep'] as const;

const SHARED = ['shared_dirs', 'shared_files'] as const;

/** Shared paths inside other shared paths, or listed twice. */
export function nestedPaths(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  const items = SHARED.flatMap((key) =>
    plainItems(view, key).map((item) => ({ key, ...item, path: pathParts(item.text).join('/') })),
  ).filter((item) => item.path !== '');
  const byPath = new Map<string, (typeof items)[number]>();
  const twice: Problem[] = [];
  for (const item of items) {
    const first = byPath.get(item.path);
    if (first === undefined) byPath.set(item.path, item);
    else
      twice.push(
        problem(
          'nested-path',
          item.range,
          `${item.key}: "${item.text}" is listed twice. Remove one of the two.`,
          {
            key: item.key,
            related: [{ range: first.range, message: 'The first one.' }],
          },
        ),
      );
  }
  const nested = [...byPath.values()].flatMap((item) => {
    const outer = parentsOf(item.path)
      .map((parent) => byPath.get(parent))
      .find((found) => found !== undefined);
    if (outer === undefined) return [];
    return [
      problem(
        'nested-path',
        item.range,
        `${item.key}: "${item.text}" lies inside "${outer.text}", which is shared already. Remove it.`,
        { key: item.key, related: [{ range: outer.range, message: `"${outer.text}" is here.` }] },
      ),
    ];
  });
  return [...twice, ...nested];
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Shared and writable paths that `exclude` hides. */
export function excludedPaths(view: SectionView): readonly Problem[] {
  const { excludes } = view.facts;
  if (view.place !== 'stage' || excludes === undefined) return [];
  const patterns = plainItems(view, 'exclude');
  if (patterns.length === 0) return [];
  const texts = patterns.map((pattern) => pattern.text);
  return [...SHARED, 'writable_dirs'].flatMap((key) =>
    plainItems(view, key).flatMap((item) => {
      const path = pathParts(item.text).join('/');
      if (path === '' || !excludes(texts, path)) return [];
      const by = patterns.find((pattern) => excludes([pattern.text], path));
      return [
        problem(
          'excluded-path',
          item.range,
          `${key}: "${item.text}" is hidden by exclude${by === undefined ? '' : ` (${by.text})`}, so the release does not bring what lies there. Remove the pattern, or the path.`,
          { key, ...(by === undefined ? {} : { related: [{ range: by.range, message: 'The pattern.' }] }) },
        ),
      ];
    }),
  );
}

/** The private key is missing, or others may read it. */
export function identityFile(view: SectionView): readonly Problem[] {
  const found = written(view, 'ssh_identity');
  const path = plainText(view, 'ssh_identity');
  const { identity } = view.facts;
  if (
    view.place !== 'stage' ||
    found === undefined ||
    path === undefined ||
    path === '' ||
    identity === undefined
  )
    return [];
  const file = identity(path, resolveStage(view.doc, view.name));
  if (file === undefined) return [];
  const range = valueOrKey(found.option);
  if (!file.exists)
    return [
      problem('identity-missing', range, `ssh_identity: ${path} does not exist. Correct the path.`, { path }),
    ];
  if (file.mode === undefined || (file.mode & 0o077) === 0) return [];
  return [
    problem(
      'identity-permissions',
      range,
      `ssh_identity: ${path} can be read by others, and ssh refuses such keys. Run chmod 600 on it.`,
      { path },
    ),
  ];
}

/** The branch is none of the local clone's. */
export function unknownBranch(view: SectionView): readonly Problem[] {
  const found = written(view, 'branch');
  const branch = plainText(view, 'branch');
  if (view.place !== 'stage' || found === undefined || branch === undefined || branch === '') return [];
  if (/^[0-9a-f]{7,64}$/i.test(branch) || branch === 'HEAD') return [];
  const refs = view.facts.refs?.(resolveStage(view.doc, view.name));
  if (refs === undefined) return [];
  const plain = branch.replace(/^refs\/(?:heads|tags)\//, '');
  if (refs.includes(branch) || refs.includes(plain)) return [];
  return [
    problem(
      'unknown-branch',
      valueOrKey(found.option),
      `branch: the local clone has no branch or tag "${branch}". Correct the name, or push it first.`,
      { key: 'branch', stage: view.name },
    ),
  ];
}

/** Patterns that hide no tracked file. */
export function idleExcludes(view: SectionView): readonly Problem[] {
  const { hidesAny, trackedFiles } = view.facts;
  if (view.place !== 'stage' || hidesAny === undefined || trackedFiles === undefined) return [];
  const patterns = plainItems(view, 'exclude');
  if (patterns.length === 0) return [];
  const files = trackedFiles(resolveStage(view.doc, view.name));
  if (files === undefined) return [];
  return patterns.flatMap((pattern) =>
    hidesAny(pattern.text, files)
      ? []
      : [
          problem(
            'exclude-matches-nothing',
            pattern.range,
            `exclude: "${pattern.text}" matches no tracked file. Correct or remove it; keep it if it is meant for build output.`,
            { key: 'exclude', stage: view.name },
          ),
        ],
  );
}
