/** How the two strategies lie on a server: the only table of it. */
import type { Settings } from '../../config/options/options.ts';
import { shellFile } from '../../remote/shellFile.ts';

export interface Layout {
  /** Whether each release has a folder in `releases/`, and `current` is a link to one of them. */
  readonly hasReleases: boolean;
  /** sh text that defines `set_up`: in project_dir, what has to be there beside `.durant` itself. */
  readonly setUp: string;
  /** Folder of a release; `project` is absolute. */
  readonly releaseFolder: (project: string, release: string) => string;
  /** A path of a release, relative to project_dir. */
  readonly inRelease: (release: string, path: string) => string;
}

const releases: Layout = {
  hasReleases: true,
  setUp: shellFile(import.meta.url, './setUpReleases.sh'),
  releaseFolder: (project, release) => `${project}/releases/${release}`,
  inRelease: (release, path) => `releases/${release}/${path}`,
};

const inplace: Layout = {
  hasReleases: false,
  setUp: shellFile(import.meta.url, './setUpInplace.sh'),
  releaseFolder: (project) => project,
  inRelease: (_, path) => path,
};

export const LAYOUTS: Readonly<Record<Settings['strategy'], Layout>> = { releases, inplace };
