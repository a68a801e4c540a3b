/** How the two strategies lie on a server: the only table of it. */
import type { Settings } from '../../config/options/options.ts';

export interface Layout {
  /** Whether each release has a folder in `releases/`, and `current` is a link to one of them. */
  readonly hasReleases: boolean;
  /** sh text in project_dir: what has to be there beside `.durant` itself. */
  readonly setUp: string;
  /** Folder of a release; `project` is absolute. */
  readonly releaseFolder: (project: string, release: string) => string;
  /** A path of a release, relative to project_dir. */
  readonly inRelease: (release: string, path: string) => string;
}

const folders = '.durant/releases .durant/manifests';

const releases: Layout = {
  hasReleases: true,
  setUp: `mkdir -p releases ${folders} || exit 1\n`,
  releaseFolder: (project, release) => `${project}/releases/${release}`,
  inRelease: (release, path) => `releases/${release}/${path}`,
};

/** `.durant` may lie in a web root: Apache is told to show nothing of it. `live` names what was put last. */
const inplace: Layout = {
  hasReleases: false,
  setUp: `mkdir -p ${folders} || exit 1
[ -f .durant/live ] || : > .durant/live || exit 1
[ -f .durant/.htaccess ] || printf '%s\\n' '<IfModule mod_authz_core.c>' 'Require all denied' '</IfModule>' '<IfModule !mod_authz_core.c>' 'Order deny,allow' 'Deny from all' '</IfModule>' > .durant/.htaccess || exit 1
`,
  releaseFolder: (project) => project,
  inRelease: (_, path) => path,
};

export const LAYOUTS: Readonly<Record<Settings['strategy'], Layout>> = { releases, inplace };
