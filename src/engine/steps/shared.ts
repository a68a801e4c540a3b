/** `shared`: files and folders that live in `shared/` and are linked into each release (Deployer's deploy:shared). */
import { DurantError } from '../../errors.ts';
import { quote, refuseLinks } from '../../remote/shell.ts';
import type { Settings } from '../../config/options/options.ts';
import { isAskedFor } from '../../config/options/stepOptions.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import type { BuiltRun, ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';

export const shared: Step = {
  name: 'shared',
  inRelease: true,
  applies({ settings }) {
    return isAskedFor(settings, 'shared');
  },
  async look({ run, server }) {
    const { shared_dirs, shared_files } = run.settings;
    const missing = [...shared_dirs, ...shared_files].filter((path) =>
      server.facts.missingShared.has(trim(path)),
    );
    const seeded = missing.length === 0 ? '' : `, ${missing.join(', ')} made first`;
    return { achieved: false, reason: `${[...shared_dirs, ...shared_files].join(', ')} to link${seeded}` };
  },
  async achieve({ run, server, signal }) {
    const { shared_dirs, shared_files } = run.settings;
    const release = `releases/${run.release}`;
    const lines = [
      refuseLinks(),
      'mkdir -p shared || exit 1',
      ...shared_dirs.map((path) => linkShared(release, trim(path), 'dir')),
      ...shared_files.map((path) => linkShared(release, trim(path), 'file')),
    ];
    await runScript(server, lines.join('\n'), { signal });
  },
};

/**
 * A shared file that neither the server nor the tree has stops the run before anything is sent, instead of becoming an empty file.
 * @throws {DurantError} `shared-file-missing`.
 */
export function assessShared(run: BuiltRun, server: ServerRun): void {
  const inTree = new Set(run.tree.entries.map((entry) => Buffer.from(entry.path, 'latin1').toString('utf8')));
  assertSharedThere(server.address.entry, run.settings, server.facts, inTree);
}

/** As `assessShared`, for a list of the tree's paths; without one nothing is seeded. */
export function assertSharedThere(
  entry: string,
  settings: Pick<Settings, 'shared_files'>,
  facts: Pick<ServerFacts, 'missingShared' | 'project'>,
  inTree: ReadonlySet<string> | undefined,
): void {
  const missing = settings.shared_files.filter(
    (path) => facts.missingShared.has(trim(path)) && inTree?.has(trim(path)) !== true,
  );
  if (missing.length > 0)
    throw new DurantError(
      'shared-file-missing',
      `${entry} has no ${missing.join(', no ')} in ${facts.project}/shared, and the commit has none to start from.`,
      { remedy: `Create ${missing.length === 1 ? 'it' : 'them'} there, then deploy again.`, server: entry },
    );
}

/** Paths are written with or without a slash at the end, or with parts that say nothing (`a/./b`, `a//b`). */
export function trim(path: string): string {
  return path.replace(/(\/\.?)+(?=\/|$)/g, '').replace(/^(\.\/)+/, '');
}

export function linkShared(release: string, path: string, kind: 'dir' | 'file'): string {
  const depth = path.split('/').length - 1;
  const [own, kept] = [quote(`${release}/${path}`), quote(`shared/${path}`)];
  const temporary = quote(`shared/${path}.durant-new`);
  const parent = (of: string): string => quote(of.slice(0, of.lastIndexOf('/')));
  const missing =
    kind === 'dir' ? `mkdir -p ${kept}` : `{ echo ${quote(`shared/${path} is missing`)} >&2; exit 1; }`;
  return `refuse_links ${own} || exit 1
if ! [ -e ${kept} ] && ! [ -L ${kept} ]; then
  mkdir -p ${parent(`shared/${path}`)} || exit 1
  if [ ${kind === 'dir' ? '-d' : '-f'} ${own} ] && ! [ -L ${own} ]; then rm -rf ${temporary} && cp -pPR ${own} ${temporary} && mv ${temporary} ${kept} || exit 1
  else ${missing} || exit 1; fi
fi
rm -rf ${own} && mkdir -p ${parent(`${release}/${path}`)} && ln -s ${quote(`${'../'.repeat(depth + 2)}shared/${path}`)} ${own} || exit 1`;
}
